using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Equalization;

/// <summary>What is known of the channels of a value: their extremes and means, and how far they spread.</summary>
internal sealed record ChannelRanges
{
    /// <summary>Of a uniform distribution over the range; the spread when a histogram says nothing.</summary>
    private const double UniformDeviation = 0.289;

    public required double[] Min { get; init; }

    public required double[] Max { get; init; }

    public required double[] Mean { get; init; }

    /// <summary>The standard deviation of a channel as a share of its range: one number for all channels, which the histogram of the whole value tells.</summary>
    public required double Deviation { get; init; }

    public int Count => Min.Length;

    public double LargestMagnitude => Math.Max(Max.Max(), -Min.Min());

    /// <summary>Null, with the reason, when nothing or nothing finite was seen.</summary>
    /// <param name="places">Which channel of the observed value each channel of the result is.</param>
    public static ChannelRanges? Find(CalibrationStatistics statistics, string value, IReadOnlyList<int> places, out string why)
    {
        why = $"there are no statistics of '{value}'";
        if (statistics.Find(value) is not { } seen || places.Any(p => p >= seen.ChannelMin.Count))
            return null;
        double[] min = [.. places.Select(p => (double)seen.ChannelMin[p])], max = [.. places.Select(p => (double)seen.ChannelMax[p])], mean = [.. places.Select(p => seen.ChannelMean[p])];
        why = $"the statistics of '{value}' are not finite";
        if (!min.Concat(max).Concat(mean).All(double.IsFinite))
            return null;
        return new ChannelRanges { Min = min, Max = max, Mean = mean, Deviation = DeviationOf(seen) };
    }

    /// <summary>Of several values that show the same channels: the union of the ranges.</summary>
    public ChannelRanges With(ChannelRanges other) => new()
    {
        Min = [.. Min.Zip(other.Min, Math.Min)],
        Max = [.. Max.Zip(other.Max, Math.Max)],
        Mean = [.. Mean.Zip(other.Mean, (a, b) => (a + b) / 2)],
        Deviation = Math.Max(Deviation, other.Deviation),
    };

    /// <summary>The second moment of the whole value is the mean over channels of mean^2 + (share * range)^2.</summary>
    private static double DeviationOf(ValueStatistics seen)
    {
        ReadOnlySpan<long> counts = seen.Histogram.Counts;
        double total = seen.Histogram.ZeroCount, squares = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            double center = seen.Histogram.Center(i);
            total += counts[i];
            squares += counts[i] * center * center;
        }

        double means = seen.ChannelMean.Sum(m => m * m);
        double ranges = seen.ChannelMax.Zip(seen.ChannelMin, (high, low) => ((double)high - low) * ((double)high - low)).Sum();
        double share = total > 0 && ranges > 0 ? Math.Sqrt(Math.Max(0, (squares / total * seen.ChannelMean.Count) - means) / ranges) : UniformDeviation;
        return Math.Clamp(share, 0.01, 0.5);
    }
}
