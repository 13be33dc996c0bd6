using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Segmentation;

namespace SamCompress.Runtime.Tests.Segmentation;

public sealed class SegmentationModelTests
{
    /// <summary>SAM's rule: with more than two points, padding and corners counted, the mask for unambiguous prompts; else the best of the other three.</summary>
    [Fact]
    public void Selects_the_mask_as_the_exported_decoder_does()
    {
        float[] ious = [0.9f, 0.1f, 0.5f, 0.3f];
        Assert.Equal(2, SegmentationModel.Best(ious, Prompt.At(1, 1)));
        Assert.Equal(2, SegmentationModel.Best(ious, Prompt.Around(1, 1, 2, 2)));
        Assert.Equal(0, SegmentationModel.Best(ious, new Prompt { Points = [new(1, 1), new(2, 2, IsForeground: false)] }));
        Assert.Equal(0, SegmentationModel.Best(ious, Prompt.Around(1, 1, 2, 2) with { Points = [new(1, 1)] }));
        Assert.Equal(1, SegmentationModel.Best([0.2f, 0.4f, 0.3f], Prompt.At(1, 1)));
        Assert.Equal(0, SegmentationModel.Best([0.2f], Prompt.At(1, 1)));
    }
}
