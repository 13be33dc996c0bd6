namespace SamCompress.Runtime.Segmentation;

/// <summary>How everything in a picture is segmented; the defaults are those of SAM's automatic mask generator and of TinySAM's hierarchical one.</summary>
public sealed record EverythingOptions
{
    /// <summary>Two rounds, the second only where the first is not confident (TinySAM), or one with all points of the grid (SAM).</summary>
    public bool IsHierarchical { get; init; } = true;

    /// <summary>n: the grid has n x n points; the first of two rounds has a quarter of them on a side.</summary>
    public int PointsPerSide { get; init; } = 32;

    /// <summary>How many points one run of the decoder takes, if it takes more than one.</summary>
    public int PointsPerBatch { get; init; } = 64;

    /// <summary>Masks are kept whose predicted IoU is above this.</summary>
    public double MinPredictedIou { get; init; } = 0.88;

    /// <summary>Masks are kept whose stability score is this or more.</summary>
    public double MinStability { get; init; } = 0.95;

    /// <summary>The logits on both sides of 0 that the stability score compares.</summary>
    public double StabilityOffset { get; init; } = 1;

    /// <summary>Of masks whose boxes have a greater IoU than this only the one with the greatest predicted IoU is kept.</summary>
    public double BoxNmsIou { get; init; } = 0.7;

    /// <summary>Pixels of a mask of the first round whose logit is above this need no point of the second round.</summary>
    public double ConfidentLogit { get; init; } = 8.5;

    /// <summary>How many layers of crops are segmented beside the picture; none for two rounds.</summary>
    public int CropLayers { get; init; }

    /// <summary>The same as <see cref="BoxNmsIou"/> between crops, where masks of smaller crops are kept.</summary>
    public double CropNmsIou { get; init; } = 0.7;

    /// <summary>How far crops of the first layer overlap, as a share of the picture's short side.</summary>
    public double CropOverlap { get; init; } = 512.0 / 1500;

    /// <summary>By how much the number of points on a side is divided from one layer of crops to the next.</summary>
    public double CropDownscale { get; init; } = 1;

    /// <summary>Holes and islands with fewer pixels are taken out of the masks; 0 leaves them.</summary>
    public int MinRegionArea { get; init; }
}
