using SamCompress.Runtime.Images;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Tests.Images;

public sealed class MaskOverlayTests
{
    [Fact]
    public void Tints_the_inside_marks_the_edge_and_leaves_the_rest()
    {
        float[] logits = [1, 1, 1, -1, 1, 1, 1, -1, 1, 1, 1, -1];
        var raster = new Raster(4, 3, new byte[36]);
        MaskOverlay.Draw(raster, BinaryMask.FromLogits(logits, 4, 4, 3), (200, 100, 0));
        Assert.Equal((byte)90, raster.Pixels[((1 * 4) + 1) * 3]);
        Assert.Equal((byte)190, raster.Pixels[((1 * 4) + 2) * 3]);
        Assert.Equal((byte)95, raster.Pixels[(((1 * 4) + 2) * 3) + 1]);
        Assert.Equal((byte)0, raster.Pixels[((1 * 4) + 3) * 3]);
    }

    [Fact]
    public void Another_size_is_refused()
    {
        var raster = new Raster(2, 2, new byte[12]);
        Assert.Throws<ArgumentException>(() => MaskOverlay.Draw(raster, BinaryMask.FromLogits([1, 1], 2, 2, 1), (1, 2, 3)));
    }

    [Fact]
    public void Neighbouring_colours_are_far_apart()
    {
        for (int i = 0; i < 30; i++)
        {
            (byte r, byte g, byte b) = MaskOverlay.Colour(i);
            (byte nextR, byte nextG, byte nextB) = MaskOverlay.Colour(i + 1);
            Assert.True(Math.Abs(r - nextR) + Math.Abs(g - nextG) + Math.Abs(b - nextB) > 150);
        }
    }
}
