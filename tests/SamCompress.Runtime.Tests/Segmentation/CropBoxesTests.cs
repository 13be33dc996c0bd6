using SamCompress.Runtime.Segmentation;

namespace SamCompress.Runtime.Tests.Segmentation;

public sealed class CropBoxesTests
{
    /// <summary>1500 x 1000: the overlap of the first layer is int(512 / 1500 * 1000 * 2 / 2) = 341; crops are ceil((341 + 1500) / 2) = 921 by ceil((341 + 1000) / 2) = 671.</summary>
    [Fact]
    public void Cuts_the_first_layer_in_four()
    {
        Assert.Equal(
            [
                (new PixelBox(0, 0, 1500, 1000), 0),
                (new PixelBox(0, 0, 921, 671), 1),
                (new PixelBox(0, 330, 921, 1000), 1),
                (new PixelBox(580, 0, 1500, 671), 1),
                (new PixelBox(580, 330, 1500, 1000), 1),
            ],
            CropBoxes.Of(1500, 1000, 1, 512.0 / 1500));
    }

    /// <summary>The second layer: overlap int(170.67) = 170, crops of ceil((170 * 3 + 1500) / 4) = 503 by ceil((510 + 1000) / 4) = 378, 333 and 208 apart.</summary>
    [Fact]
    public void Cuts_the_second_layer_in_sixteen()
    {
        IReadOnlyList<(PixelBox Box, int Layer)> crops = CropBoxes.Of(1500, 1000, 2, 512.0 / 1500);
        Assert.Equal(1 + 4 + 16, crops.Count);
        Assert.Equal((new PixelBox(0, 208, 503, 586), 2), crops[6]);
        Assert.Equal((new PixelBox(999, 624, 1500, 1000), 2), crops[^1]);
    }

    /// <summary>A crop from 100 to 200 of a picture 300 wide; 20 pixels are near.</summary>
    [Theory]
    [InlineData(120, 150, true)]
    [InlineData(121, 150, false)]
    [InlineData(150, 180, true)]
    [InlineData(150, 179, false)]
    [InlineData(150, 220, true)]
    public void Knows_masks_that_a_crop_cuts_off(int left, int right, bool isCutOff) =>
        Assert.Equal(isCutOff, CropBoxes.IsCutOff(new PixelBox(left, 40, right, 60), new PixelBox(100, 0, 200, 100), 300, 100));

    [Fact]
    public void Masks_at_the_sides_of_the_picture_are_whole() => Assert.False(CropBoxes.IsCutOff(new PixelBox(0, 0, 299, 99), new PixelBox(0, 0, 300, 100), 300, 100));
}
