using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Tests.Quantization;

/// <summary>Statistics with the ranges that a test wants.</summary>
internal static class PlannerStatistics
{
    public static CalibrationStatistics Of(IEnumerable<ObservedValue> observed, Func<ObservedValue, (float Min, float Max)> range, double mean = 0) => new()
    {
        ModelHash = "model",
        ToolVersion = "0",
        PictureSetHash = "pictures",
        PictureCount = 1,
        Values = [.. observed.Select(o => Value(o, range(o), mean))],
    };

    private static ValueStatistics Value(ObservedValue observed, (float Min, float Max) range, double mean)
    {
        var histogram = new ValueHistogram();
        histogram.Add([range.Min, range.Max]);
        return new ValueStatistics
        {
            Name = observed.Name,
            ChannelAxis = observed.ChannelAxis,
            ChannelMin = [.. Enumerable.Repeat(range.Min, observed.Channels)],
            ChannelMax = [.. Enumerable.Repeat(range.Max, observed.Channels)],
            ChannelMean = [.. Enumerable.Repeat(mean, observed.Channels)],
            PictureMin = new Moments(range.Min, (double)range.Min * range.Min),
            PictureMax = new Moments(range.Max, (double)range.Max * range.Max),
            Histogram = histogram,
        };
    }
}
