using System.Numerics;

namespace SamCompress.Passes.Quantization.Search;

/// <summary>
/// Searches the grid of an activation by what its rounding does to the output of the layers that read it. The error of a row x is sum_k m_k (x_k - q(x_k))^2,
/// where m_k is the squared norm of row k of the weights (the diagonal of W W^T: errors of different channels are taken as independent): a candidate
/// costs one pass over the sampled rows and no matrix product. Each end of the range is searched in turn over <see cref="Candidates"/> factors
/// from <see cref="Least"/> to <see cref="Greatest"/> times what was seen (TinySAM, arXiv 2312.13789), until nothing changes, at most three rounds.
/// </summary>
public sealed class ActivationSearch(float[] rows, float[] importance, SearchMetric metric)
{
    public const int Candidates = 100;
    public const double Least = 0.01;
    public const double Greatest = 1.2;
    private const int Rounds = 3;

    /// <param name="seen">The extremes that were seen, zero in between.</param>
    /// <param name="symmetric">Whether the zero point must stand in the middle.</param>
    /// <param name="lowest">Of the codes; for a symmetric grid the negative of <paramref name="highest"/>.</param>
    public QuantizationGrid Find(ValueRange seen, bool symmetric, int lowest, int highest)
    {
        if (symmetric)
        {
            float most = Math.Max(-seen.Min, seen.Max);
            double factor = Best(1, f => Loss(QuantizationGrid.Symmetric((float)(f * most), highest)));
            return QuantizationGrid.Symmetric((float)(factor * most), highest);
        }

        double low = 1, high = 1;
        for (int round = 0; round < Rounds; round++)
        {
            (double oldLow, double oldHigh) = (low, high);
            if (seen.Max > 0)
                high = Best(high, f => Loss(Grid(low, f)));
            if (seen.Min < 0)
                low = Best(low, f => Loss(Grid(f, high)));
            if ((low, high) == (oldLow, oldHigh))
                break;
        }

        return Grid(low, high);

        QuantizationGrid Grid(double l, double h) => QuantizationGrid.Affine((float)(l * seen.Min), (float)(h * seen.Max), lowest, highest);
    }

    /// <summary>What the metric makes of a grid; the least is best.</summary>
    public double Loss(QuantizationGrid grid)
    {
        (double error, double product, double power) = Sums(grid);
        return metric == SearchMetric.Cosine ? power > 0 ? -product / Math.Sqrt(power) : 0 : error;
    }

    /// <summary>A candidate counts as better only when it is so clearly enough to survive another sample.</summary>
    private static double Best(double present, Func<double, double> loss)
    {
        double best = present, bestLoss = loss(present);
        for (int i = Candidates; i >= 1; i--)
        {
            double candidate = Least + ((Greatest - Least) * (i - 1) / (Candidates - 1));
            double candidateLoss = loss(candidate);
            if (candidateLoss < bestLoss)
                (best, bestLoss) = (candidate, candidateLoss);
        }

        return best;
    }

    /// <summary>Weighted by the importance: the squared error, the product of values and quantized values, the power of the quantized values.</summary>
    private (double Error, double Product, double Power) Sums(QuantizationGrid grid)
    {
        int channels = importance.Length, width = Vector<float>.Count;
        float scale = grid.Scale, inverse = 1 / scale, lowest = grid.Lowest - grid.ZeroPoint, highest = grid.Highest - grid.ZeroPoint;
        Vector<float> scales = new(scale), inverses = new(inverse), lows = new(lowest), highs = new(highest);
        double error = 0, product = 0, power = 0;
        for (int start = 0; start < rows.Length; start += channels)
        {
            ReadOnlySpan<float> row = rows.AsSpan(start, channels);
            Vector<float> e = default, p = default, q = default;
            int k = 0;
            for (; k + width <= channels; k += width)
            {
                Vector<float> x = new(row[k..]), weight = new(importance.AsSpan(k));
                Vector<float> y = Vector.Min(Vector.Max(Vector.Round(x * inverses), lows), highs) * scales;
                Vector<float> d = x - y, weighted = weight * y;
                e += weight * d * d;
                p += weighted * x;
                q += weighted * y;
            }

            error += Vector.Sum(e);
            product += Vector.Sum(p);
            power += Vector.Sum(q);
            for (; k < channels; k++)
            {
                float y = Math.Clamp(MathF.Round(row[k] * inverse), lowest, highest) * scale;
                error += importance[k] * (row[k] - y) * (row[k] - y);
                product += importance[k] * row[k] * y;
                power += importance[k] * y * y;
            }
        }

        return (error, product, power);
    }
}
