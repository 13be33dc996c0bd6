namespace SamCompress.Passes.Equalization;

/// <summary>Channel c of a value becomes (x - Shift[c]) / Scale[c].</summary>
/// <param name="Shift">Null for none.</param>
/// <param name="ErrorShare">What is left of the estimated error, without what other pictures lose at the ends of the range in any case.</param>
internal sealed record ChannelEqualization(float[] Scale, float[]? Shift, double ErrorShare);

/// <summary>
/// Chooses scale and shift of the channels of a value that layers read, by the error that quantizing both to a few levels is estimated to make at their outputs:
/// (step^2 / 12 + what other pictures lose by clipping) * sum of squared weights for the value, which has one step for all channels, and
/// sum of step^2 / 12 * E[x^2] for the weights, which have one step for each output channel.
/// </summary>
/// <remarks>Candidates: s = range(x)^a / range(w)^(1 - a) for several strengths a [SmoothQuant], with and without a shift to the middle of the range or to the mean.</remarks>
internal static class EqualizationSearch
{
    /// <summary>Ranges are not taken for smaller than this share of the largest: what was never seen may still come.</summary>
    private const double SmallestShare = 1.0 / 4096;

    private static readonly double[] Strengths = [0, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

    /// <returns>Null when no candidate lowers the error enough.</returns>
    public static ChannelEqualization? Choose(ChannelRanges ranges, IReadOnlyList<WeightProfile> weights, bool canShift, EqualizationOptions options)
    {
        float[] ones = [.. ranges.Min.Select(_ => 1f)];
        double before = Error(ranges, ones, null, weights, options), avoidable = Error(ranges, ones, null, weights, options with { Overshoot = 0 });
        double[] weightRanges = LargestOf(weights);
        float[] middle = [.. ranges.Min.Zip(ranges.Max, (low, high) => (float)((low + high) / 2))], mean = [.. ranges.Mean.Select(m => (float)m)];
        ChannelEqualization? best = null;
        foreach (float[]? shift in canShift ? [null, middle, mean] : (float[]?[])[null])
        {
            double[] valueRanges = Floored([.. Enumerable.Range(0, ranges.Count).Select(c => ranges.Reach(c, shift?[c] ?? 0))]);
            foreach (double strength in Strengths)
            {
                float[] scale = Normalized([.. valueRanges.Zip(weightRanges, (x, w) => Math.Pow(x, strength) / Math.Pow(w, 1 - strength))]);
                double share = 1 - ((before - Error(ranges, scale, shift, weights, options)) / avoidable);
                if (share < (best?.ErrorShare ?? (1 - options.LeastGain)))
                    best = new ChannelEqualization(scale, shift, share);
            }
        }

        return best;
    }

    private static double Error(ChannelRanges ranges, float[] scale, float[]? shift, IReadOnlyList<WeightProfile> weights, EqualizationOptions options)
    {
        float[] factors = [.. scale.Select(s => 1 / s)];
        double[] rounding = ranges.RoundingErrors(factors, shift, options), energies = ranges.Energies(factors, shift);
        double error = 0;
        foreach (WeightProfile weight in weights)
        {
            for (int c = 0; c < rounding.Length; c++)
                error += rounding[c] * weight.Squares[c] * scale[c] * scale[c];
            error += weight.SquaredScales(scale, energies) / (12.0 * options.WeightHighest * options.WeightHighest);
        }

        return error;
    }

    private static double[] LargestOf(IReadOnlyList<WeightProfile> weights)
    {
        IEnumerable<float[]> magnitudes = weights.Select(w => w.InputMagnitudes());
        return Floored([.. magnitudes.Aggregate((a, b) => [.. a.Zip(b, Math.Max)]).Select(m => (double)m)]);
    }

    /// <summary>Also brings channels that are always zero to where they cannot do harm.</summary>
    internal static double[] Floored(double[] ranges)
    {
        double least = ranges.Max() * SmallestShare;
        return least > 0 ? [.. ranges.Select(r => Math.Max(r, least))] : [.. ranges.Select(_ => 1.0)];
    }

    /// <summary>With a geometric mean of 1, which keeps numbers near where they were; quantization does not see it.</summary>
    internal static float[] Normalized(double[] scale)
    {
        double mean = Math.Exp(scale.Average(Math.Log));
        return [.. scale.Select(s => (float)(s / mean))];
    }
}
