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

    /// <summary>How far apart the runners-up are, as a part of what was seen: neighbours would be the same but for chance.</summary>
    public const double Apart = 0.06;
    private const int Rounds = 3;

    /// <param name="seen">The extremes that were seen, zero in between.</param>
    /// <param name="symmetric">Whether the zero point must stand in the middle.</param>
    /// <param name="lowest">Of the codes; for a symmetric grid the negative of <paramref name="highest"/>.</param>
    /// <param name="count">How many to return.</param>
    /// <returns>The best grid, then the best of those that differ from the ones before it by <see cref="Apart"/> of the range at one end.</returns>
    public IReadOnlyList<QuantizationGrid> Find(ValueRange seen, bool symmetric, int lowest, int highest, int count = 1)
    {
        var tried = new List<(double Low, double High, double Loss)>();
        (double low, double high) = (1, 1);
        for (int round = 0; round < Rounds; round++)
        {
            (double oldLow, double oldHigh) = (low, high);
            if (symmetric || seen.Max > 0)
                high = Best(high, f => Try(symmetric ? f : low, f));
            if (symmetric)
                low = high;
            else if (seen.Min < 0)
                low = Best(low, f => Try(f, high));
            if ((low, high) == (oldLow, oldHigh))
                break;
        }

        var chosen = new List<(double Low, double High)> { (low, high) };
        foreach ((double l, double h, _) in tried.OrderBy(t => t.Loss))
        {
            if (chosen.Count == count)
                break;
            if (chosen.TrueForAll(c => Math.Abs(c.Low - l) >= Apart || Math.Abs(c.High - h) >= Apart))
                chosen.Add((l, h));
        }

        return [.. chosen.Take(count).Select(c => Grid(c.Low, c.High))];

        double Try(double l, double h)
        {
            double loss = Loss(Grid(l, h));
            tried.Add((l, h, loss));
            return loss;
        }

        QuantizationGrid Grid(double l, double h) => symmetric
            ? QuantizationGrid.Symmetric((float)(h * Math.Max(-seen.Min, seen.Max)), highest)
            : QuantizationGrid.Affine((float)(l * seen.Min), (float)(h * seen.Max), lowest, highest);
    }

    /// <summary>What the metric makes of a grid; the least is best.</summary>
    public double Loss(QuantizationGrid grid)
    {
        (double error, double product, double power) = Sums(grid);
        return metric == SearchMetric.Cosine ? power > 0 ? -product / Math.Sqrt(power) : 0 : error;
    }

    /// <summary>The factor with the least loss, the greater one among equals; the present one when none is better.</summary>
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
