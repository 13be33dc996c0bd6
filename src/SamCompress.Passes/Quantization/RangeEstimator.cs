namespace SamCompress.Passes.Quantization;

/// <summary>The range that a quantization grid shall cover; zero is in it.</summary>
public readonly record struct ValueRange(float Min, float Max);

/// <summary>Chooses the range of an activation from what was observed of it. Pure: same statistics, same range.</summary>
public abstract class RangeEstimator
{
    /// <summary>The word on the command line.</summary>
    public abstract string Name { get; }

    /// <param name="levels">How many values the quantized type can take: 256 for 8 bits.</param>
    public ValueRange Estimate(ValueStatistics statistics, int levels)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ValueRange all = new(Math.Min(0, statistics.Min), Math.Max(0, statistics.Max));
        if (statistics.Histogram.Counts.IsEmpty)
            return all;
        ValueRange chosen = Choose(statistics.Histogram, all, levels);
        return new ValueRange(Math.Clamp(chosen.Min, all.Min, 0), Math.Clamp(chosen.Max, 0, all.Max));
    }

    /// <param name="all">The exact extremes, with zero in between; the histogram is of a subsample and may end earlier.</param>
    protected abstract ValueRange Choose(ValueHistogram histogram, ValueRange all, int levels);
}

/// <summary>Everything that was seen.</summary>
public sealed class MinMaxEstimator : RangeEstimator
{
    public override string Name => "minmax";

    protected override ValueRange Choose(ValueHistogram histogram, ValueRange all, int levels) => all;
}

/// <summary>The central share of the values: half of the rest is clipped at each end. Interpolates within a bin; zeros count.</summary>
/// <param name="percentile">Over 50, up to 100.</param>
public sealed class PercentileEstimator(double percentile = PercentileEstimator.Default) : RangeEstimator
{
    public const double Default = 99.99;

    public override string Name => "percentile";

    public double Percentile { get; } = percentile is > 50 and <= 100
        ? percentile
        : throw new ArgumentOutOfRangeException(nameof(percentile), percentile, "a percentile is over 50, up to 100");

    protected override ValueRange Choose(ValueHistogram histogram, ValueRange all, int levels)
    {
        double cut = histogram.Total * (100 - Percentile) / 200;
        return cut == 0 ? all : new ValueRange((float)FromBelow(histogram, cut), (float)FromAbove(histogram, cut));
    }

    private static double FromBelow(ValueHistogram histogram, double cut)
    {
        ReadOnlySpan<long> counts = histogram.Counts;
        for (int i = 0; i < counts.Length && histogram.FirstBin + i < 0; i++)
        {
            if (counts[i] > cut)
                return (histogram.FirstBin + i + (cut / counts[i])) * histogram.Width;
            cut -= counts[i];
        }

        return 0;
    }

    private static double FromAbove(ValueHistogram histogram, double cut)
    {
        ReadOnlySpan<long> counts = histogram.Counts;
        for (int i = counts.Length - 1; i >= 0 && histogram.FirstBin + i >= 0; i--)
        {
            if (counts[i] > cut)
                return (histogram.FirstBin + i + 1 - (cut / counts[i])) * histogram.Width;
            cut -= counts[i];
        }

        return 0;
    }
}

/// <summary>
/// The range with the smallest mean squared error between the values and their quantized ones. Each end is searched in turn over 100 candidates,
/// from 0.01 to 1 of what was seen, for three rounds (the grid of TinySAM, arXiv 2312.13789, applied to both ends).
/// </summary>
public sealed class MseEstimator : RangeEstimator
{
    private const int Candidates = 100;
    private const int Rounds = 3;

    public override string Name => "mse";

    /// <summary>The sum of squared errors. Inside a bin the values are taken as evenly spread; zeros cost nothing.</summary>
    internal static double SquaredError(ValueHistogram histogram, QuantizationGrid grid)
    {
        ReadOnlySpan<long> counts = histogram.Counts;
        double width = histogram.Width, scale = grid.Scale, inverse = 1 / scale, min = grid.Min, max = grid.Max;
        bool fine = width < scale;
        double spread = (fine ? width * width : scale * scale) / 12;
        double error = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            if (counts[i] == 0)
                continue;
            double x = (histogram.FirstBin + i + 0.5) * width;
            double distance = x < min ? x - min : x > max ? x - max : fine ? x - (Math.Round(x * inverse) * scale) : 0;
            error += counts[i] * ((distance * distance) + spread);
        }

        return error;
    }

    protected override ValueRange Choose(ValueHistogram histogram, ValueRange all, int levels)
    {
        (double low, double high) = (1, 1);
        for (int round = 0; round < Rounds; round++)
        {
            (double oldLow, double oldHigh) = (low, high);
            if (all.Max > 0)
                high = Best(high, f => Error(low, f));
            if (all.Min < 0)
                low = Best(low, f => Error(f, high));
            if ((low, high) == (oldLow, oldHigh))
                break;
        }

        return new ValueRange((float)(low * all.Min), (float)(high * all.Max));

        double Error(double lowFactor, double highFactor) =>
            SquaredError(histogram, QuantizationGrid.Affine((float)(lowFactor * all.Min), (float)(highFactor * all.Max), 0, levels - 1));
    }

    /// <summary>The factor with the smallest error; the present one when none is better.</summary>
    private static double Best(double present, Func<double, double> error)
    {
        double best = present, bestError = error(present);
        for (int i = Candidates; i >= 1; i--)
        {
            double candidate = (double)i / Candidates;
            double candidateError = error(candidate);
            if (candidateError < bestError)
                (best, bestError) = (candidate, candidateError);
        }

        return best;
    }
}

/// <summary>
/// The range whose quantized distribution has the smallest Kullback-Leibler divergence from the clipped one, as TensorRT and ONNX Runtime
/// calibrate: for each threshold t the histogram is clipped to [-t, t], the clipped counts join the outermost bins, the bins are
/// merged into as many groups as there are levels and spread evenly again over the bins of a group that are in use.
/// </summary>
public sealed class EntropyEstimator : RangeEstimator
{
    private const int Candidates = 128;

    public override string Name => "entropy";

    protected override ValueRange Choose(ValueHistogram histogram, ValueRange all, int levels)
    {
        int reach = Math.Max(-histogram.FirstBin, histogram.FirstBin + histogram.Counts.Length);
        ValueRange best = all;
        double bestDivergence = double.PositiveInfinity;
        for (int i = Candidates; i >= 1; i--)
        {
            int threshold = (int)((long)reach * i / Candidates);
            int first = Math.Max(histogram.FirstBin, -threshold), end = Math.Min(histogram.FirstBin + histogram.Counts.Length, threshold);
            if (end - first < levels)
                break;
            double divergence = Divergence(histogram, first, end, levels);
            if (divergence < bestDivergence)
            {
                bestDivergence = divergence;
                best = i == Candidates ? all : new ValueRange((float)(first * histogram.Width), (float)(end * histogram.Width));
            }
        }

        return best;
    }

    /// <summary>KL(clipped || quantized) over the bins from <paramref name="first"/> up to but without <paramref name="end"/>.</summary>
    internal static double Divergence(ValueHistogram histogram, int first, int end, int levels)
    {
        ReadOnlySpan<long> counts = histogram.Counts.Slice(first - histogram.FirstBin, end - first);
        double[] clipped = new double[counts.Length];
        double inside = 0;
        for (int i = 0; i < counts.Length; i++)
            inside += clipped[i] = counts[i];
        clipped[0] += Sum(histogram.Counts[..(first - histogram.FirstBin)]);
        clipped[^1] += Sum(histogram.Counts[(end - histogram.FirstBin)..]);
        double total = clipped.Sum(), divergence = 0;
        for (int level = 0; level < levels; level++)
        {
            int start = (int)((long)counts.Length * level / levels), stop = (int)((long)counts.Length * (level + 1) / levels);
            double mass = 0;
            int used = 0;
            for (int i = start; i < stop; i++)
            {
                mass += counts[i];
                used += clipped[i] > 0 ? 1 : 0;
            }

            for (int i = start; i < stop; i++)
            {
                if (clipped[i] > 0)
                    divergence += clipped[i] / total * Math.Log(clipped[i] / total / Math.Max(mass / used / inside, 1e-12));
            }
        }

        return divergence;
    }

    private static double Sum(ReadOnlySpan<long> counts)
    {
        double sum = 0;
        foreach (long count in counts)
            sum += count;
        return sum;
    }
}
