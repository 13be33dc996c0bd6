using SamCompress.Runtime.Images;
using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Segmentation;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Segmentation;

/// <summary>The sample model on a shipped scene. Why it needs other thresholds than SAM: see docs/segment.md.</summary>
public sealed class EverythingSegmenterTests : IDisposable
{
    private static readonly string Folder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano");
    private static readonly string Scene = Path.Combine(SkeletonModels.RepositoryRoot, "calibration", "scene_000.jpg");

    /// <summary>Eight points on a side, so that it takes no time.</summary>
    private static readonly EverythingOptions Few = new() { PointsPerSide = 8, MinPredictedIou = 0.4, MinStability = 0.7, ConfidentLogit = 3.5 };

    private readonly SegmentationModel _model = SegmentationModel.Open(Path.Combine(Folder, "encoder.onnx"), Path.Combine(Folder, "decoder.onnx"));

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Finds_what_passes_the_filters_and_nothing_twice()
    {
        using DecodedImage image = _model.Load(Scene);
        EverythingResult result = new EverythingSegmenter(_model, Few with { IsHierarchical = false }).Segment(image);

        Assert.Equal((64, 64 * 3), (result.Points, result.Counts.Proposals));
        Assert.True(result.Counts.Proposals > result.Counts.Likely && result.Counts.Likely > result.Counts.Stable && result.Counts.Stable > result.Masks.Count);
        Assert.NotEmpty(result.Masks);
        Assert.All(result.Masks, m => Assert.True(m.PredictedIou > 0.4 && m.Stability >= 0.7 && m.Mask.Area > 0));
        Assert.Equal(result.Masks.OrderByDescending(m => m.PredictedIou), result.Masks);
        for (int i = 0; i < result.Masks.Count; i++)
            Assert.All(result.Masks.Skip(i + 1), other => Assert.True(PixelBox.Iou(result.Masks[i].Box, other.Box) <= 0.7));
    }

    /// <summary>Points decoded one by one give the same masks as points decoded in batches.</summary>
    [Fact]
    public void The_size_of_a_batch_does_not_matter()
    {
        Assert.True(_model.Decoder.TakesBatches);
        using DecodedImage image = _model.Load(Scene);
        EverythingResult one = new EverythingSegmenter(_model, Few with { PointsPerBatch = 1 }).Segment(image);
        EverythingResult many = new EverythingSegmenter(_model, Few with { PointsPerBatch = 64 }).Segment(image);

        Assert.Equal((one.Points, one.Masks.Count), (many.Points, many.Masks.Count));
        foreach ((FoundMask a, FoundMask b) in one.Masks.Zip(many.Masks))
            Assert.InRange(BinaryMask.Iou(a.Mask, b.Mask), 0.999, 1);
    }

    [Fact]
    public void The_second_round_asks_only_where_the_first_is_not_confident()
    {
        using DecodedImage image = _model.Load(Scene);
        EverythingResult some = new EverythingSegmenter(_model, Few).Segment(image);
        EverythingResult all = new EverythingSegmenter(_model, Few with { ConfidentLogit = 1000 }).Segment(image);

        Assert.Equal((4, 4), (some.CoarsePoints, all.CoarsePoints));
        Assert.Equal(0, all.ConfidentShare);

        // 320 and 240 are multiples of 8: the last fine row and column are lost.
        Assert.Equal((8 * 8) - 15, all.Points);
        Assert.InRange(some.ConfidentShare!.Value, 0.1, 0.9);
        Assert.InRange(some.Points, 5, all.Points - 1);
    }

    /// <summary>Where no round has a mask there is nothing, and no failure.</summary>
    [Fact]
    public void Bears_pictures_without_masks()
    {
        using DecodedImage image = _model.Load(Scene);
        EverythingResult result = new EverythingSegmenter(_model, Few with { MinPredictedIou = 1 }).Segment(image);
        Assert.Empty(result.Masks);
        Assert.Equal(((8 * 8) - 15, 0), (result.Points, result.Counts.Likely));
    }

    /// <summary>5 crops, those of the second layer with 4 points on a side; a mask that a crop cuts off is dropped, so each lies within its crop.</summary>
    [Fact]
    public void Crops_are_segmented_in_their_own_right()
    {
        using DecodedImage image = _model.Load(Scene);
        EverythingResult result = new EverythingSegmenter(_model, Few with { IsHierarchical = false, CropLayers = 1, CropDownscale = 2 }).Segment(image);

        Assert.Equal(64 + (4 * 16), result.Points);
        Assert.Contains(result.Masks, m => m.Crop.Area < 320 * 240);
        Assert.All(result.Masks, m => Assert.True(m.Box.Left >= m.Crop.Left && m.Box.Top >= m.Crop.Top && m.Box.Right < m.Crop.Right && m.Box.Bottom < m.Crop.Bottom));
        Assert.All(result.Masks, m => Assert.Equal(m.Box, FoundMask.BoxOf(m.Mask)));
    }

    [Fact]
    public void Small_regions_are_taken_out()
    {
        using DecodedImage image = _model.Load(Scene);
        EverythingResult result = new EverythingSegmenter(_model, Few with { MinStability = 0.5, MinRegionArea = 200 }).Segment(image);

        Assert.NotEmpty(result.Masks);
        Assert.All(result.Masks, m => Assert.Same(m.Mask, SmallRegions.Remove(m.Mask, 200)));
    }
}
