using SamCompress.Runtime.Images;

namespace SamCompress.Runtime.Tests.Images;

public sealed class RasterTests
{
    /// <summary>Two by two pixels become one; of five pixels in a row two become (0 + 10) / 2 and (20 + 30 + 40) / 3.</summary>
    [Fact]
    public void A_smaller_copy_has_the_means_of_what_its_pixels_cover()
    {
        Raster square = Grey(4, 4, Enumerable.Range(0, 16).Select(i => 10 * i)).Reduce(2);
        Assert.Equal((2, 2), (square.Width, square.Height));
        Assert.Equal([25, 45, 105, 125], First(square));

        Raster row = Grey(5, 1, [0, 10, 20, 30, 40]).Reduce(2);
        Assert.Equal((2, 1), (row.Width, row.Height));
        Assert.Equal([5, 30], First(row));
    }

    [Fact]
    public void A_picture_that_is_small_enough_stays()
    {
        Raster picture = Grey(3, 2, [1, 2, 3, 4, 5, 6]), copy = picture.Reduce(3);
        Assert.Equal(picture.Pixels, copy.Pixels);
        Assert.NotSame(picture.Pixels, copy.Pixels);
    }

    [Fact]
    public void A_line_of_pixels_keeps_its_only_row()
    {
        Raster line = Grey(400, 1, Enumerable.Range(0, 400).Select(i => i % 7)).Reduce(4);
        Assert.Equal((4, 1), (line.Width, line.Height));
    }

    /// <summary>Rec. 601: 0.299, 0.587 and 0.114 of 255.</summary>
    [Fact]
    public void Grey_is_luma() =>
        Assert.Equal([76, 76, 76, 150, 150, 150, 29, 29, 29], new Raster(3, 1, [255, 0, 0, 0, 255, 0, 0, 0, 255]).ToGrey().Pixels);

    private static int[] First(Raster raster) => [.. raster.Pixels.Chunk(3).Select(p => (int)p[0])];

    private static Raster Grey(int width, int height, IEnumerable<int> shades) => new(width, height, [.. shades.SelectMany(s => Enumerable.Repeat((byte)s, 3))]);
}
