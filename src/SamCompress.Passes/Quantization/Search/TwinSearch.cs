namespace SamCompress.Passes.Quantization.Search;

/// <summary>Two ranges for what comes from a Gelu or a Softmax, each with half of the codes of the activation (TinySAM, arXiv 2312.13789, after PTQ4ViT).</summary>
internal static class TwinSearch
{
    /// <summary>The magnitude of the least value of the exact Gelu, at x = -0.7518.</summary>
    private const float GeluDepth = 0.16997124254703522f;

    private const int SmallestSoftmaxExponent = -19;

    /// <summary>Whether the values look like those of a Gelu: the least one is near its minimum, the greatest is not.</summary>
    public static bool IsGelu(ValueStatistics seen) => seen.Min is >= -GeluDepth * 1.001f and < -GeluDepth / 2 && seen.Max > GeluDepth;

    /// <summary>The negative side has a fixed step, that of the Gelu's depth; the step of the positive side is searched.</summary>
    public static (QuantizationGrid Above, TwinRange Twin) Gelu(ValueStatistics seen, float[] importance, SearchMetric metric, int bits)
    {
        int half = 1 << (bits - 1);
        float[] positive = [.. seen.Samples!.Rows.Select(x => Math.Max(x, 0))];
        QuantizationGrid above = new ActivationSearch(positive, importance, metric).Find(new ValueRange(0, seen.Max), symmetric: false, 0, half - 1)[0];
        return (above, new TwinRange(0, new QuantizationGrid(GeluDepth / half, half, 0, half)));
    }

    /// <summary>Probabilities up to a threshold get a fine step, those over it the coarse one; the threshold is the power of two with the least squared error.</summary>
    public static (QuantizationGrid Above, TwinRange Twin) Softmax(ValueStatistics seen, int bits)
    {
        int highest = (1 << (bits - 1)) - 1;
        (QuantizationGrid Above, TwinRange Twin) best = default;
        double least = double.PositiveInfinity;
        for (int exponent = 0; exponent >= SmallestSoftmaxExponent; exponent--)
        {
            float threshold = MathF.ScaleB(1, exponent);
            var above = new QuantizationGrid(1f / highest, 0, 0, highest);
            var below = new QuantizationGrid(threshold / highest, 0, 0, highest);
            double error = Error(seen.Histogram, threshold, above, below);
            if (error < least)
                (least, best) = (error, (above, new TwinRange(threshold, below)));
        }

        return best;
    }

    private static double Error(ValueHistogram histogram, float threshold, QuantizationGrid above, QuantizationGrid below)
    {
        double error = 0;
        ReadOnlySpan<long> counts = histogram.Counts;
        for (int i = 0; i < counts.Length; i++)
        {
            if (counts[i] == 0)
                continue;
            float x = (float)((histogram.FirstBin + i + 0.5) * histogram.Width);
            double distance = x - (below.Round(x) + (x > threshold ? above.Round(x - threshold) : 0));
            error += counts[i] * distance * distance;
        }

        return error;
    }
}
