using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Training;

namespace SamCompress.Runtime.Tests.Training;

public sealed class AugmentationTests
{
    /// <summary>Three planes of 2 x 3: 0 to 5, 10 to 15, 20 to 25.</summary>
    private static readonly byte[] Pixels = [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25];

    [Fact]
    public void Cuts_the_same_part_of_every_plane()
    {
        using RuntimeTensor pixels = RuntimeTensor.Of(Pixels, 1, 3, 2, 3);
        using RuntimeTensor cut = new PictureView(1, 0, 2, 2, IsMirrored: false).Cut(pixels);
        Assert.Equal("uint8[1,3,2,2]", cut.ToString());
        Assert.Equal([1, 2, 4, 5, 11, 12, 14, 15, 21, 22, 24, 25], cut.ToArray<byte>());
    }

    [Fact]
    public void Mirrors_rows()
    {
        using RuntimeTensor pixels = RuntimeTensor.Of(Pixels, 1, 3, 2, 3);
        using RuntimeTensor cut = new PictureView(0, 1, 3, 1, IsMirrored: true).Cut(pixels);
        Assert.Equal([5, 4, 3, 15, 14, 13, 25, 24, 23], cut.ToArray<byte>());
    }

    [Fact]
    public void Turns_upside_down_and_then_rows_into_columns()
    {
        using RuntimeTensor pixels = RuntimeTensor.Of(Pixels, 1, 3, 2, 3);
        using RuntimeTensor cut = new PictureView(0, 0, 3, 2, IsMirrored: true) { IsUpsideDown = true, IsTransposed = true }.Cut(pixels);
        Assert.Equal("uint8[1,3,3,2]", cut.ToString());
        Assert.Equal([5, 2, 4, 1, 3, 0, 15, 12, 14, 11, 13, 10, 25, 22, 24, 21, 23, 20], cut.ToArray<byte>());
    }

    /// <summary>2 (p - 128) + 138 and the like, within 0 and 255.</summary>
    [Fact]
    public void Changes_the_light_of_each_channel()
    {
        byte[] pixels = [0, 100, 128, 255, 100, 200];
        new ColorChange(2, 1, 0.5, 10).Apply(pixels);
        Assert.Equal([0, 82, 138, 255, 124, 174], pixels);
    }

    [Fact]
    public void Strong_variations_are_of_every_kind_and_end_at_their_bounds()
    {
        PictureView[] views = [.. Enumerable.Range(0, 2000).Select(s => new Augmentation { IsStrong = true }.Of(120, 80, (ulong)s * 0x9E3779B97F4A7C15))];
        Assert.Equal(8, views.Select(v => (v.IsMirrored, v.IsUpsideDown, v.IsTransposed)).Distinct().Count());
        Assert.All(views, v =>
        {
            double[] gains = [v.Colors!.Red, v.Colors.Green, v.Colors.Blue];
            Assert.All(gains, g => Assert.InRange(g, 1 / (1.35 * 1.15), 1.35 * 1.15));
            Assert.InRange(gains.Max() / gains.Min(), 1, 1.15 * 1.15);
            Assert.InRange(v.Colors.Shift, -25, 25);
        });
        Assert.InRange(views.Average(v => v.Colors!.Shift), -1, 1);
        Assert.All(Enumerable.Range(0, 100), s => Assert.Null(new Augmentation().Of(120, 80, (ulong)s).Colors));
    }

    [Fact]
    public void Keeps_views_inside_the_picture_and_above_the_least_area()
    {
        var augmentation = new Augmentation { LeastArea = 0.3 };
        PictureView[] views = [.. Enumerable.Range(0, 2000).Select(s => augmentation.Of(120, 80, (ulong)s * 0x9E3779B97F4A7C15))];
        Assert.All(views, v =>
        {
            Assert.InRange(v.Left, 0, 120 - v.Width);
            Assert.InRange(v.Top, 0, 80 - v.Height);

            // Clamping at the border of the picture may take as much as the stretch adds to a side.
            Assert.InRange(v.Width * v.Height / 9600.0, 0.3 / Math.Sqrt(4.0 / 3) - 0.02, 1);
        });
        Assert.InRange(views.Count(v => v.IsMirrored), 900, 1100);
        Assert.InRange(views.Average(v => v.Width * v.Height / 9600.0), 0.58, 0.66);
    }

    [Fact]
    public void Gives_a_seed_one_view()
    {
        var augmentation = new Augmentation();
        Assert.Equal(augmentation.Of(100, 50, 7), augmentation.Of(100, 50, 7));
        Assert.NotEqual(augmentation.Of(100, 50, 7), augmentation.Of(100, 50, 7UL << 32));
        Assert.DoesNotContain(Enumerable.Range(0, 100), s => new Augmentation { Mirrors = false }.Of(100, 50, (ulong)s).IsMirrored);
    }
}
