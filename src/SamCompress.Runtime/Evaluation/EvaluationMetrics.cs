namespace SamCompress.Runtime.Evaluation;

/// <summary>How close one embedding is to another, and how measurements are summed up. All sums are in double precision.</summary>
public static class EvaluationMetrics
{
    /// <summary>The cosine of the angle between two vectors; 1 when both are zero, 0 when one is.</summary>
    public static double Cosine(ReadOnlySpan<float> reference, ReadOnlySpan<float> actual)
    {
        CheckLengths(reference, actual);
        double product = 0;
        double referencePower = 0;
        double actualPower = 0;
        for (int i = 0; i < reference.Length; i++)
        {
            product += (double)reference[i] * actual[i];
            referencePower += (double)reference[i] * reference[i];
            actualPower += (double)actual[i] * actual[i];
        }

        if (referencePower == 0 || actualPower == 0)
            return referencePower == actualPower ? 1 : 0;
        return product / Math.Sqrt(referencePower) / Math.Sqrt(actualPower);
    }

    /// <summary>The power of the reference and of the difference, from which the signal-to-quantization-noise ratio follows.</summary>
    public static (double Signal, double Noise) Powers(ReadOnlySpan<float> reference, ReadOnlySpan<float> actual)
    {
        CheckLengths(reference, actual);
        double signal = 0;
        double noise = 0;
        for (int i = 0; i < reference.Length; i++)
        {
            double difference = (double)reference[i] - actual[i];
            signal += (double)reference[i] * reference[i];
            noise += difference * difference;
        }

        return (signal, noise);
    }

    /// <summary>10 log10(signal / noise) in dB; null when there is no noise.</summary>
    public static double? Sqnr(double signal, double noise) => noise == 0 ? null : 10 * Math.Log10(signal / noise);

    /// <summary>The value below which a share of the values lies, with linear interpolation between neighbours.</summary>
    /// <param name="percent">0 to 100.</param>
    /// <exception cref="ArgumentException">No values.</exception>
    public static double Percentile(IEnumerable<double> values, double percent)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0)
            throw new ArgumentException("a percentile needs values");
        double place = percent / 100 * (sorted.Length - 1);
        int below = (int)place;
        int above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }

    private static void CheckLengths(ReadOnlySpan<float> reference, ReadOnlySpan<float> actual)
    {
        if (reference.Length != actual.Length)
            throw new ArgumentException($"vectors of {reference.Length} and {actual.Length} elements cannot be compared");
    }
}
