using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Tests.Prompts;

public sealed class MaskShapeTests
{
    private static readonly (int, int, int, int) Whole = (0, 0, 7, 5);

    [Fact]
    public void Bounds_hold_every_pixel() => Assert.Equal((1, 1, 6, 4), MaskShape.Bounds(Mask(
        ".......",
        "..##...",
        ".#.....",
        ".....#.",
        ".......")));

    [Fact]
    public void An_empty_mask_has_no_bounds_and_no_inside()
    {
        BinaryMask empty = Mask(".......", ".......", ".......", ".......", ".......");

        Assert.Null(MaskShape.Bounds(empty));
        Assert.Null(MaskShape.Deepest(empty, Whole));
    }

    /// <summary>The block of 3 x 3 has its middle two steps from the outside, the bar beside it has one everywhere.</summary>
    [Fact]
    public void The_deepest_pixel_is_the_middle_of_the_thickest_part() => Assert.Equal((4, 2), MaskShape.Deepest(
        Mask(
            "#......",
            "#..###.",
            "#..###.",
            "#..###.",
            "#......"),
        Whole));

    [Fact]
    public void The_border_of_the_picture_is_the_border_of_the_mask() => Assert.Equal((2, 2), MaskShape.Deepest(
        Mask(
            "#####..",
            "#####..",
            "#####..",
            "#####..",
            "#####.."),
        Whole));

    [Fact]
    public void Beside_the_mask_the_other_pixels_count() => Assert.Equal((5, 1), MaskShape.Deepest(
        Mask(
            "####...",
            "####...",
            "####...",
            "####...",
            "####..."),
        Whole,
        isInside: false));

    [Fact]
    public void A_full_mask_has_nothing_beside_it() =>
        Assert.Null(MaskShape.Deepest(Mask("#######", "#######", "#######", "#######", "#######"), Whole, isInside: false));

    /// <summary>2000 pixels are looked at in steps of 4: the middle is found to within a step.</summary>
    [Fact]
    public void Large_masks_are_looked_at_in_steps()
    {
        float[] logits = new float[2000 * 100];
        Array.Fill(logits, 1);
        (int x, int y) = MaskShape.Deepest(BinaryMask.FromLogits(logits, 2000, 2000, 100), (0, 0, 2000, 100))!.Value;

        Assert.InRange(y, 45, 55);
        Assert.InRange(x, 45, 1955);
    }

    private static BinaryMask Mask(params string[] rows) =>
        BinaryMask.FromLogits([.. rows.SelectMany(r => r.Select(c => c == '#' ? 1f : 0f))], rows[0].Length, rows[0].Length, rows.Length);
}
