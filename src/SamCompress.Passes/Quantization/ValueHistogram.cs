using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Passes.Quantization;

/// <summary>
/// Counts of the values of one tensor, of fixed size although the range is not known beforehand.
/// Bin i holds [i w, (i + 1) w) where the width w is a power of two: the smallest for which at most <see cref="MaxBins"/> bins cover all values and zero.
/// When a value falls outside, w doubles and neighbours merge, which is exact; so the result does not depend on the order of the values.
/// Exact zeros (padding, ReLU) are counted apart, because every quantization grid represents them without error.
/// </summary>
public sealed class ValueHistogram
{
    public const int MaxBins = 8192;

    private long[] _counts = [];
    private float _low;
    private float _high;

    /// <summary>The binary logarithm of the bin width.</summary>
    public int WidthExponent { get; private set; }

    /// <summary>The number of the first bin; its lower edge is this times the bin width.</summary>
    public int FirstBin { get; private set; }

    /// <summary>Counts from the first bin that may be used to the last.</summary>
    public ReadOnlySpan<long> Counts => _counts;

    /// <summary>How many values were exactly zero; they are in no bin.</summary>
    public long ZeroCount { get; private set; }

    public double Width => Math.ScaleB(1, WidthExponent);

    /// <summary>All values, zeros included.</summary>
    public long Total
    {
        get
        {
            long total = ZeroCount;
            foreach (long count in _counts)
                total += count;
            return total;
        }
    }

    public double Center(int place) => (FirstBin + place + 0.5) * Width;

    /// <exception cref="ArgumentException">A value is not finite.</exception>
    public void Add(ReadOnlySpan<float> values)
    {
        if (values.IsEmpty)
            return;
        float low = Math.Min(_low, Tp.Min(values));
        float high = Math.Max(_high, Tp.Max(values));
        if (!float.IsFinite(low) || !float.IsFinite(high))
            throw new ArgumentException("a value is not finite", nameof(values));
        Cover(low, high);
        float inverse = MathF.ScaleB(1, -WidthExponent);
        long[] counts = _counts;
        foreach (float value in values)
        {
            if (value == 0)
                ZeroCount++;
            else
                counts[(int)MathF.Floor(value * inverse) - FirstBin]++;
        }
    }

    /// <summary>Rebuilds a histogram from what <see cref="FirstBin"/>, <see cref="Counts"/> and the rest said.</summary>
    /// <exception cref="ArgumentException">No histogram has these numbers.</exception>
    public static ValueHistogram Restore(int widthExponent, int firstBin, IReadOnlyList<long> counts, long zeroCount)
    {
        ArgumentNullException.ThrowIfNull(counts);
        if (counts.Count > MaxBins || firstBin is > MaxBins or < -MaxBins || widthExponent is > 128 or < -149)
            throw new ArgumentException($"{counts.Count} bins of width 2^{widthExponent} from bin {firstBin} are no histogram");
        if (zeroCount < 0 || counts.Any(c => c < 0))
            throw new ArgumentException("a count is negative");
        return new ValueHistogram { WidthExponent = widthExponent, FirstBin = firstBin, _counts = [.. counts], ZeroCount = zeroCount };
    }

    /// <summary>The narrowest power of two for which at most <see cref="MaxBins"/> aligned bins cover [low, high].</summary>
    internal static int FittingExponent(float low, float high)
    {
        if (low == 0 && high == 0)
            return 0;
        int exponent = Math.Max(Math.ILogB(((double)high - low) / MaxBins) - 1, -126);
        while (BinOf(high, exponent) - BinOf(low, exponent) >= MaxBins)
            exponent++;
        return exponent;
    }

    private static int BinOf(float value, int exponent) => (int)Math.Floor(Math.ScaleB(value, -exponent));

    private void Cover(float low, float high)
    {
        if (low == _low && high == _high)
            return;
        int exponent = FittingExponent(low, high);
        int first = BinOf(low, exponent);
        var counts = new long[BinOf(high, exponent) - first + 1];
        for (int i = 0; i < _counts.Length; i++)
        {
            if (_counts[i] != 0)
                counts[((FirstBin + i) >> (exponent - WidthExponent)) - first] += _counts[i];
        }

        (WidthExponent, FirstBin, _counts, _low, _high) = (exponent, first, counts, low, high);
    }
}
