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

    /// <summary>
    /// The mean squared error, for each channel, of rounding (x - shift) * factor with one step for all channels, and of clipping what other pictures
    /// will show beyond the extremes that were seen.
    /// </summary>
    public double[] RoundingErrors(ReadOnlySpan<float> factors, ReadOnlySpan<float> shift, EqualizationOptions options)
    {
        double low = 0, high = 0;
        var ends = new (double Low, double High)[Count];
        for (int c = 0; c < Count; c++)
        {
            double z = shift.IsEmpty ? 0 : shift[c], a = (Min[c] - z) * factors[c], b = (Max[c] - z) * factors[c];
            ends[c] = (Math.Min(a, b), Math.Max(a, b));
            low = Math.Min(low, ends[c].Low);
            high = Math.Max(high, ends[c].High);
        }

        if (options.SymmetricActivations)
            low = -(high = Math.Max(high, -low));
        double step = (high - low) / (options.ActivationLevels - 1);
        var errors = new double[Count];
        for (int c = 0; c < Count; c++)
        {
            double more = options.Overshoot * (ends[c].High - ends[c].Low);
            double over = Math.Max(0, ends[c].High + more - high), under = Math.Max(0, low - ends[c].Low + more);
            errors[c] = (step * step / 12) + (options.OvershootShare * ((over * over) + (under * under)));
        }

        return errors;
    }

    /// <summary>E[((x - shift) * factor)^2] of each channel.</summary>
    public double[] Energies(ReadOnlySpan<float> factors, ReadOnlySpan<float> shift)
    {
        var energies = new double[Count];
        for (int c = 0; c < energies.Length; c++)
        {
            double deviation = Deviation * (Max[c] - Min[c]), mean = Mean[c] - (shift.IsEmpty ? 0 : shift[c]);
            energies[c] = ((deviation * deviation) + (mean * mean)) * factors[c] * factors[c];
        }

        return energies;
    }

    /// <summary>How far a channel goes from zero once it is shifted.</summary>
    public double Reach(int channel, double shift) => Math.Max(Max[channel] - shift, shift - Min[channel]);

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
