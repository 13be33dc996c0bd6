using MathNet.Numerics.LinearAlgebra;
using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Passes.Quantization.Search;

/// <summary>
/// Rounds a weight so that what the rounding of one input's weights does to the output is made up for by those of the inputs after it (GPTQ, arXiv
/// 2210.17323). The loss is (w - q)^T H (w - q) with H = G + ridge I = L L^T, inputs in order of falling power from the last row of L to the first.
/// Input i is rounded to the value nearest to w_i + sum_{j before i} L_ji / L_ii (w_j - q_j): the codes of GPTQ without an inverse of H (they are those of
/// Babai's nearest plane).
/// </summary>
internal sealed class Gptq
{
    private const int BlockRows = 64;
    private const int SlabColumns = 128;

    private readonly int _count;

    /// <summary>The input that each row of <see cref="_lower"/> stands for.</summary>
    private readonly int[] _inputs;

    private readonly float[] _lower;

    /// <param name="gram">G = E[x x^T], [count, count].</param>
    /// <param name="ridge">Added to the diagonal; positive where the inputs are dependent.</param>
    /// <exception cref="SamCompressException">G is not that of finite numbers.</exception>
    public Gptq(ReadOnlySpan<float> gram, int count, double ridge)
    {
        _count = count;
        var power = new float[count];
        for (int i = 0; i < count; i++)
            power[i] = gram[(i * count) + i];
        _inputs = [.. Enumerable.Range(0, count).OrderBy(i => power[i]).ThenByDescending(i => i)];
        var matrix = new double[count * count];
        for (int a = 0; a < count; a++)
        {
            ReadOnlySpan<float> row = gram.Slice(_inputs[a] * count, count);
            for (int b = 0; b < count; b++)
                matrix[(a * count) + b] = row[_inputs[b]];
            matrix[(a * count) + a] += ridge;
        }

        try
        {
            Matrix<double> factor = new MathNet.Numerics.LinearAlgebra.Double.DenseMatrix(count, count, matrix).Cholesky().Factor;
            _lower = new float[count * count];
            for (int a = 0; a < count; a++)
            {
                for (int b = 0; b <= a; b++)
                    _lower[(a * count) + b] = (float)factor[a, b];
            }
        }
        catch (ArgumentException e)
        {
            throw new SamCompressException(FailureKind.InputRejected, "the second moments of an activation are not positive definite", "calibrate with more pictures, or round to nearest", e);
        }
    }

    /// <summary>The weights that serve best when every input carries independent noise: the solution v of H v = (H - noise I) w, which is w - noise H^-1 w.</summary>
    /// <param name="noise">Mean square of the noise of one input; part of the ridge.</param>
    public void Refit(WeightMatrix weight, double noise) => ForEachSlab(weight, slab =>
    {
        int width = slab.Length / _count;
        var solved = new float[slab.Length];
        for (int a = 0; a < _count; a++)
        {
            Span<float> row = solved.AsSpan(a * width, width);
            slab.AsSpan(a * width, width).CopyTo(row);
            for (int b = 0; b < a; b++)
                Tp.MultiplyAdd(solved.AsSpan(b * width, width), -_lower[(a * _count) + b], row, row);
            Tp.Divide(row, _lower[(a * _count) + a], row);
        }

        for (int a = _count - 1; a >= 0; a--)
        {
            Span<float> row = solved.AsSpan(a * width, width);
            Tp.Divide(row, _lower[(a * _count) + a], row);
            for (int b = 0; b < a; b++)
                Tp.MultiplyAdd(row, -_lower[(a * _count) + b], solved.AsSpan(b * width, width), solved.AsSpan(b * width, width));
        }

        Tp.MultiplyAdd(solved, -(float)noise, slab, slab);
    });

    /// <summary>Rounds; the weight is used up.</summary>
    /// <param name="scaleOf">The scales of all output channels for an input.</param>
    /// <returns>[inputs, output channels]</returns>
    public sbyte[] Round(WeightMatrix weight, Func<int, float[]> scaleOf, int highest)
    {
        var codes = new sbyte[weight.Elements.Length];
        ForEachSlab(weight, (slab, firstColumn) =>
        {
            int width = slab.Length / _count;
            var carried = new float[slab.Length];
            var rounded = new float[width];
            for (int end = _count; end > 0; end -= BlockRows)
            {
                int start = Math.Max(0, end - BlockRows);
                for (int a = end - 1; a >= start; a--)
                {
                    Span<float> row = slab.AsSpan(a * width, width), wanted = carried.AsSpan(a * width, width);
                    for (int b = a + 1; b < end; b++)
                        Tp.MultiplyAdd(slab.AsSpan(b * width, width), _lower[(b * _count) + a] / _lower[(a * _count) + a], wanted, wanted);
                    Tp.Add(row, wanted, wanted);
                    ReadOnlySpan<float> scales = scaleOf(_inputs[a]).AsSpan(firstColumn, width);
                    Tp.Divide(wanted, scales, rounded);
                    Tp.Round(rounded, rounded);
                    Tp.Max(rounded, -highest, rounded);
                    Tp.Min(rounded, highest, rounded);
                    Tp.ConvertTruncating<float, sbyte>(rounded, codes.AsSpan((_inputs[a] * weight.Columns) + firstColumn, width));
                    Tp.Multiply(rounded, scales, rounded);
                    Tp.Subtract(row, rounded, row);
                }

                CarryOn(slab, carried, width, start, end);
            }
        });
        return codes;
    }

    /// <summary>Hands the errors of the rounded rows [start, end) on to the rows that are still to be rounded.</summary>
    private void CarryOn(float[] errors, float[] carried, int width, int start, int end)
    {
        if (start == 0)
            return;
        var carry = new float[start * (end - start)];
        for (int a = 0; a < start; a++)
        {
            for (int b = start; b < end; b++)
                carry[(a * (end - start)) + b - start] = _lower[(b * _count) + a] / _lower[(a * _count) + a];
        }

        DenseMatrix.MultiplyAdd(carry, errors.AsSpan(start * width, (end - start) * width), carried, start, end - start, width);
    }

    private void ForEachSlab(WeightMatrix weight, Action<float[]> change) => ForEachSlab(weight, (slab, first) =>
    {
        change(slab);
        for (int a = 0; a < _count; a++)
            slab.AsSpan(a * (slab.Length / _count), slab.Length / _count).CopyTo(weight.Elements.AsSpan((_inputs[a] * weight.Columns) + first));
    });

    /// <summary>Some columns at a time, with the inputs in the order of the factor.</summary>
    private void ForEachSlab(WeightMatrix weight, Action<float[], int> use) => Parallel.For(0, (weight.Columns + SlabColumns - 1) / SlabColumns, s =>
    {
        int first = s * SlabColumns, width = Math.Min(SlabColumns, weight.Columns - first);
        var slab = new float[_count * width];
        for (int a = 0; a < _count; a++)
            weight.Elements.AsSpan((_inputs[a] * weight.Columns) + first, width).CopyTo(slab.AsSpan(a * width, width));
        use(slab, first);
    });
}
