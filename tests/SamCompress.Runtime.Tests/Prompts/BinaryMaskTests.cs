using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Tests.Prompts;

public sealed class BinaryMaskTests
{
    /// <summary>Twice the size doubles every pixel; a third of it has what lies in the middle of three.</summary>
    [Fact]
    public void Another_size_has_the_pixels_at_its_centres()
    {
        BinaryMask mask = BinaryMask.FromLogits([1, -1, 1, -1, -1, 1], 3, 3, 2), large = mask.Resize(6, 4), small = BinaryMask.FromLogits([1, -1, 1, -1, 1, -1], 6, 6, 1).Resize(2, 1);

        Assert.Equal((6, 4), (large.Width, large.Height));
        Assert.Equal("110011 110011 000011 000011", string.Join(' ', Enumerable.Range(0, 4).Select(y => string.Concat(Enumerable.Range(0, 6).Select(x => large[x, y] ? '1' : '0')))));
        Assert.Equal((false, true), (small[0, 0], small[1, 0]));
    }

    [Fact]
    public void Takes_logits_above_zero()
    {
        BinaryMask mask = BinaryMask.FromLogits([-1, 0, 0.001f, 5, float.NaN, -0f], 3, 3, 2);
        Assert.Equal(2, mask.Area);
        Assert.True(mask[2, 0]);
        Assert.True(mask[0, 1]);
        Assert.False(mask[1, 1]);
    }

    [Fact]
    public void Takes_the_left_upper_part_of_a_plane()
    {
        BinaryMask mask = BinaryMask.FromLogits([1, -1, 9, -1, 1, 9, 9, 9, 9], 3, 2, 2);
        Assert.Equal("#./.#", Text(mask));
    }

    [Theory]
    [InlineData("##../##..", "#.../#...", 0.5)]
    [InlineData("##../....", "..##/....", 0)]
    [InlineData("....", "....", 1)]
    [InlineData("....", "#...", 0)]
    [InlineData("###./###.", ".###/.###", 0.5)]
    public void Divides_intersection_by_union(string a, string b, double expected) => Assert.Equal(expected, BinaryMask.Iou(Mask(a), Mask(b)), 12);

    [Fact]
    public void Pixels_are_numbered_row_by_row_also_beyond_the_first_word()
    {
        BinaryMask mask = Mask(string.Join('/', Enumerable.Repeat(".........#", 9)) + "/#.#.......");
        Assert.Equal((9, 0), mask.Pixel(0));
        Assert.Equal((9, 8), mask.Pixel(8));
        Assert.Equal((0, 9), mask.Pixel(9));
        Assert.Equal((2, 9), mask.Pixel(10));
        Assert.Throws<ArgumentOutOfRangeException>(() => mask.Pixel(11));
    }

    [Fact]
    public void A_difference_holds_what_one_of_two_has()
    {
        BinaryMask difference = BinaryMask.Difference(Mask("##./#.."), Mask("#.#/..."));
        Assert.Equal([(1, 0), (2, 0), (0, 1)], Enumerable.Range(0, (int)difference.Area).Select(i => difference.Pixel(i)));
        Assert.Throws<ArgumentException>(() => BinaryMask.Difference(Mask("##"), Mask("#/#")));
    }

    [Fact]
    public void Counts_pixels_beyond_the_first_word()
    {
        BinaryMask a = BinaryMask.FromLogits([.. Enumerable.Repeat(1f, 200)], 20, 20, 10);
        BinaryMask b = BinaryMask.FromLogits([.. Enumerable.Range(0, 200).Select(i => i < 150 ? 1f : -1f)], 20, 20, 10);
        Assert.Equal(200, a.Area);
        Assert.Equal(0.75, BinaryMask.Iou(a, b));
    }

    [Fact]
    public void Refuses_masks_of_different_sizes() => Assert.Throws<ArgumentException>(() => BinaryMask.Iou(Mask("##"), Mask("#/#")));

    [Fact]
    public void Takes_the_boundary_with_the_border_of_the_picture()
    {
        Assert.Equal("#####/#...#/#...#/#...#/#####", Text(Mask("#####/#####/#####/#####/#####").Boundary(1)));
        Assert.Equal("#####/#####/##.##/#####/#####", Text(Mask("#####/#####/#####/#####/#####").Boundary(2)));
        Assert.Equal("....../.####./.#..#./.#..#./.####./......", Text(Mask("....../.####./.####./.####./.####./......").Boundary(1)));
    }

    /// <summary>The structuring element is a square: a hole reaches its diagonal neighbours, so nothing is deep here.</summary>
    [Fact]
    public void Erodes_diagonally()
    {
        const string text = "#####/#####/##.##/#####/#####";
        Assert.Equal(text, Text(Mask(text).Boundary(1)));
    }

    /// <summary>10 x 10 pixels: the distance is round(0.02 * 14.14) = 0, at least 1. The outlines lie side by side and share no pixel.</summary>
    [Fact]
    public void Compares_boundaries_only()
    {
        BinaryMask full = BinaryMask.FromLogits([.. Enumerable.Repeat(1f, 100)], 10, 10, 10);
        BinaryMask inner = BinaryMask.FromLogits([.. Enumerable.Range(0, 100).Select(i => i % 10 is > 0 and < 9 && i / 10 is > 0 and < 9 ? 1f : -1f)], 10, 10, 10);
        Assert.Equal(0.64, BinaryMask.Iou(full, inner), 12);
        Assert.Equal(0, BinaryMask.BoundaryIou(full, inner));
        Assert.Equal(1, BinaryMask.BoundaryIou(inner, inner));
    }

    /// <summary>100 x 50 pixels: the distance is round(0.02 * 111.8) = 2; a full mask against one without its last column.</summary>
    [Fact]
    public void Uses_two_percent_of_the_diagonal()
    {
        BinaryMask full = BinaryMask.FromLogits([.. Enumerable.Repeat(1f, 5000)], 100, 100, 50);
        BinaryMask less = BinaryMask.FromLogits([.. Enumerable.Range(0, 5000).Select(i => i % 100 < 99 ? 1f : -1f)], 100, 100, 50);
        const double fullBoundary = 5000 - (96 * 46);
        const double lessBoundary = 4950 - (95 * 46);
        const double common = fullBoundary - 50;
        Assert.Equal(fullBoundary, full.Boundary(2).Area);
        Assert.Equal(common / (fullBoundary + lessBoundary - common), BinaryMask.BoundaryIou(full, less), 12);
    }

    private static BinaryMask Mask(string text)
    {
        string[] rows = text.Split('/');
        return BinaryMask.FromLogits([.. rows.SelectMany(r => r).Select(c => c == '#' ? 1f : -1f)], rows[0].Length, rows[0].Length, rows.Length);
    }

    private static string Text(BinaryMask mask) => string.Join('/', Enumerable.Range(0, mask.Height).Select(y =>
        string.Concat(Enumerable.Range(0, mask.Width).Select(x => mask[x, y] ? '#' : '.'))));
}
