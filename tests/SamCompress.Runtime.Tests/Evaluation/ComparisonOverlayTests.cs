using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Tests.Evaluation;

public sealed class ComparisonOverlayTests
{
    private static readonly Raster Black = new(4, 1, new byte[12]);

    /// <summary>Four pixels: in both masks, in the teacher's only, in the student's only, in none. Grey of black with 0.35 of white is 89.</summary>
    [Fact]
    public void The_difference_shows_what_was_lost_and_gained()
    {
        var overlay = ComparisonOverlay.Draw(Black, [Pair([1, 1, -1, -1], [1, -1, 1, -1])]);

        Assert.Equal([89, 89, 89], overlay.Difference.Pixels[..3]);
        Assert.Equal(Mixed(ComparisonOverlay.Lost), overlay.Difference.Pixels[3..6]);
        Assert.Equal(Mixed(ComparisonOverlay.Gained), overlay.Difference.Pixels[6..9]);
        Assert.Equal([89, 89, 89], overlay.Difference.Pixels[9..]);
        Assert.Equal([false, false, true, true], Untouched(overlay.Teacher));
        Assert.Equal([false, true, false, true], Untouched(overlay.Student));
        Assert.All(Black.Pixels, p => Assert.Equal(0, p));
    }

    [Fact]
    public void Masks_of_another_size_are_brought_to_the_picture() =>
        Assert.Equal([false, false, true, true], Untouched(ComparisonOverlay.Draw(Black, [Pair([1, -1], [1, -1])]).Teacher));

    /// <summary>The teacher finds the same object twice; the student misses it once.</summary>
    [Fact]
    public void Of_equal_masks_the_one_that_was_met_least_is_shown()
    {
        var overlay = ComparisonOverlay.Draw(Black, [Pair([1, 1, -1, -1], [1, 1, -1, -1]), Pair([1, 1, -1, -1], [-1, -1, -1, -1])]);

        Assert.Equal([true, true, true, true], Untouched(overlay.Student));
    }

    private static bool[] Untouched(Raster raster) => [.. raster.Pixels.Chunk(3).Select(p => p.All(c => c == 0))];

    private static byte[] Mixed((byte R, byte G, byte B) colour) =>
        [.. new[] { colour.R, colour.G, colour.B }.Select(c => (byte)MathF.Round(89 + ((c - 89) * 0.85f)))];

    private static MaskPair Pair(float[] teacher, float[] student)
    {
        BinaryMask a = BinaryMask.FromLogits(teacher, teacher.Length, teacher.Length, 1), b = BinaryMask.FromLogits(student, student.Length, student.Length, 1);
        return new MaskPair(Prompt.At(0, 0), a, b, BinaryMask.Iou(a, b));
    }
}
