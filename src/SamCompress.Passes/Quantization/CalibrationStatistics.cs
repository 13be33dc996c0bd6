using SamCompress.Passes.Quantization.Search;

namespace SamCompress.Passes.Quantization;

/// <summary>How much is kept of an observed value.</summary>
public enum ObservationDetail
{
    /// <summary>Extremes, means and the histogram.</summary>
    Ranges,

    /// <summary>Also some of its rows.</summary>
    Rows,

    /// <summary>Also E[x x^T]; for values whose channels lie on the last axis.</summary>
    SecondMoments,
}

/// <summary>A value to be observed while the model runs on calibration pictures.</summary>
/// <param name="ChannelAxis">The axis along which channels lie: 1, or -1 for the last.</param>
/// <param name="Channels">The number of channels.</param>
public sealed record ObservedValue(string Name, int ChannelAxis, int Channels, ObservationDetail Detail = ObservationDetail.Ranges);

/// <summary>What was seen of one value over all pictures. Extremes are exact; histogram and means come from a fixed subsample of positions.</summary>
public sealed record ValueStatistics
{
    public required string Name { get; init; }

    public required int ChannelAxis { get; init; }

    /// <summary>Smallest value of each channel, over everything.</summary>
    public required IReadOnlyList<float> ChannelMin { get; init; }

    /// <summary>Largest value of each channel, over everything.</summary>
    public required IReadOnlyList<float> ChannelMax { get; init; }

    /// <summary>Mean of each channel over the sampled positions.</summary>
    public required IReadOnlyList<double> ChannelMean { get; init; }

    /// <summary>Of the smallest value of each picture.</summary>
    public required Moments PictureMin { get; init; }

    /// <summary>Of the largest value of each picture.</summary>
    public required Moments PictureMax { get; init; }

    public required ValueHistogram Histogram { get; init; }

    /// <summary>Rows and second moments, where they were asked for.</summary>
    public ActivationSamples? Samples { get; init; }

    public float Min => ChannelMin.Min();

    public float Max => ChannelMax.Max();
}

/// <summary>Mean and mean square of some numbers.</summary>
public readonly record struct Moments(double Mean, double MeanSquare)
{
    public double StandardDeviation => Math.Sqrt(Math.Max(0, MeanSquare - (Mean * Mean)));
}

/// <summary>
/// What was observed while the FP32 model ran on the calibration pictures. Together with model and options it determines the plan,
/// and so every byte of the artifact: <see cref="CalibrationCache"/> stores it without loss.
/// </summary>
public sealed record CalibrationStatistics
{
    /// <summary>SHA-256 of the model that ran, lower-case hexadecimal.</summary>
    public required string ModelHash { get; init; }

    /// <summary>Version of the tool that observed.</summary>
    public required string ToolVersion { get; init; }

    /// <summary>SHA-256 over the hashes of the pictures, in order.</summary>
    public required string PictureSetHash { get; init; }

    public required int PictureCount { get; init; }

    /// <summary>What was done to the model between the two times it was observed, for example <c>equalized for 256 levels</c>; empty for nothing.</summary>
    public string Preparation { get; init; } = "";

    /// <summary>Of the model before it was equalized, by name, ordinal; empty when it was not.</summary>
    public IReadOnlyList<ValueStatistics> BeforeEqualization { get; init; } = [];

    /// <summary>Of the model that is quantized, by name, ordinal.</summary>
    public required IReadOnlyList<ValueStatistics> Values { get; init; }

    /// <returns>Null when the value was not observed.</returns>
    public ValueStatistics? Find(string valueName) => Values.FirstOrDefault(v => v.Name == valueName);
}
