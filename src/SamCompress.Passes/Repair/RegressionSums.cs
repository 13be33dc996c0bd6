using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Passes.Repair;

/// <summary>
/// What a linear regression of y on x needs of any number of rows, in memory that does not grow with them. Rows are summed up less a fixed shift of each
/// channel, so that large means do not take the digits of what varies around them.
/// </summary>
public sealed class RegressionSums
{
    private readonly double[] _xx;
    private readonly double[] _xy;
    private readonly double[] _x;
    private readonly double[] _y;
    private readonly double[] _yy;

    /// <param name="shiftX">What is taken from each channel of x before it is summed up; any numbers near the mean serve.</param>
    /// <param name="shiftY">The same for y.</param>
    /// <exception cref="SamCompressException">A shift is not finite.</exception>
    public RegressionSums(ReadOnlySpan<float> shiftX, ReadOnlySpan<float> shiftY)
    {
        RequireFinite(shiftX);
        RequireFinite(shiftY);
        ShiftX = shiftX.ToArray();
        ShiftY = shiftY.ToArray();
        _x = new double[shiftX.Length];
        _y = new double[shiftY.Length];
        _yy = new double[shiftY.Length];
        _xx = new double[checked(_x.Length * _x.Length)];
        _xy = new double[checked(_x.Length * _y.Length)];
    }

    public float[] ShiftX { get; }

    public float[] ShiftY { get; }

    public int Inputs => _x.Length;

    public int Outputs => _y.Length;

    public long Rows { get; private set; }

    /// <summary>sum x x^T, row-major [inputs, inputs].</summary>
    public ReadOnlySpan<double> Xx => _xx;

    /// <summary>sum x y^T, row-major [inputs, outputs].</summary>
    public ReadOnlySpan<double> Xy => _xy;

    /// <summary>sum x.</summary>
    public ReadOnlySpan<double> X => _x;

    /// <summary>sum y.</summary>
    public ReadOnlySpan<double> Y => _y;

    /// <summary>sum y^2 of each output.</summary>
    public ReadOnlySpan<double> Yy => _yy;

    /// <summary>sum (y - mean y)^2 of each output.</summary>
    public double[] Variation() => [.. _yy.Zip(_y, (yy, y) => Math.Max(0, yy - (y * y / Rows)))];

    /// <summary>Adds the sums of some shifted rows.</summary>
    /// <exception cref="SamCompressException">A sum is not finite; then nothing was added.</exception>
    public void Add(ReadOnlySpan<float> xx, ReadOnlySpan<float> xy, ReadOnlySpan<float> x, ReadOnlySpan<float> y, ReadOnlySpan<float> yy, long rows)
    {
        RequireFinite(xx);
        RequireFinite(xy);
        RequireFinite(x);
        RequireFinite(y);
        RequireFinite(yy);
        AddTo(_xx, xx);
        AddTo(_xy, xy);
        AddTo(_x, x);
        AddTo(_y, y);
        AddTo(_yy, yy);
        Rows += rows;
    }

    /// <summary>Adds the sums of other rows with the same shifts.</summary>
    public void Add(RegressionSums other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (!other.ShiftX.AsSpan().SequenceEqual(ShiftX) || !other.ShiftY.AsSpan().SequenceEqual(ShiftY))
            throw new ArgumentException("sums of rows with other shifts cannot be added", nameof(other));
        Tp.Add(_xx, other._xx, _xx);
        Tp.Add(_xy, other._xy, _xy);
        Tp.Add(_x, other._x, _x);
        Tp.Add(_y, other._y, _y);
        Tp.Add(_yy, other._yy, _yy);
        Rows += other.Rows;
    }

    private static void AddTo(double[] sums, ReadOnlySpan<float> addends)
    {
        if (addends.Length != sums.Length)
            throw new ArgumentException($"{addends.Length} sums are given, {sums.Length} are expected", nameof(addends));
        for (int i = 0; i < sums.Length; i++)
            sums[i] += addends[i];
    }

    private static void RequireFinite(ReadOnlySpan<float> elements)
    {
        // A sum of magnitudes in double overflows for no number of floats.
        double sum = 0;
        foreach (float element in elements)
            sum += Math.Abs((double)element);
        if (!double.IsFinite(sum))
            throw new SamCompressException(FailureKind.InputRejected, "a sum for the repair is not finite", "the model gives values that are not finite, or too large to be squared");
    }
}
