using System.Collections.Immutable;
using SamCompress.IR;
using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Passes.Quantization;

/// <summary>
/// How the elements of a weight belong to output channels: element (o, c, i) of [outer, channels, inner] belongs to channel c.
/// A Linear weight [K, N] is (K, N, 1); one stored transposed [N, K] is (1, N, K); Conv is (1, M, rest).
/// </summary>
public readonly record struct ChannelLayout(int Outer, int Channels, int Inner)
{
    public static ChannelLayout Of(ImmutableArray<long> dimensions, int axis) => new(
        checked((int)dimensions[..axis].Aggregate(1L, (a, b) => a * b)),
        checked((int)dimensions[axis]),
        checked((int)dimensions[(axis + 1)..].Aggregate(1L, (a, b) => a * b)));
}

/// <summary>Symmetric quantization of weights to signed bytes, one scale per output channel. Works on spans, a row at a time.</summary>
public static class WeightQuantizer
{
    /// <summary>The largest magnitude of each channel; NaN where a channel holds NaN.</summary>
    public static float[] AbsoluteMax(ReadOnlySpan<float> weight, ChannelLayout layout)
    {
        var result = new float[layout.Channels];
        for (int o = 0; o < layout.Outer; o++)
        {
            ReadOnlySpan<float> block = weight.Slice(o * layout.Channels * layout.Inner, layout.Channels * layout.Inner);
            if (layout.Inner == 1)
            {
                Tp.MaxMagnitude(block, result, result);
                continue;
            }

            for (int c = 0; c < layout.Channels; c++)
                result[c] = float.MaxMagnitude(result[c], Tp.MaxMagnitude(block.Slice(c * layout.Inner, layout.Inner)));
        }

        Tp.Abs(result, result);
        return result;
    }

    /// <summary>One scale per channel so that its largest magnitude becomes <paramref name="highest"/>; 1 for a channel of zeros.</summary>
    public static float[] Scales(ReadOnlySpan<float> absoluteMax, int highest)
    {
        var scales = new float[absoluteMax.Length];
        for (int i = 0; i < scales.Length; i++)
            scales[i] = QuantizationGrid.Symmetric(absoluteMax[i], highest).Scale;
        return scales;
    }

    /// <summary>Divides by the scale, rounds half to even, saturates to [-highest, highest]. Element order stays.</summary>
    public static void Quantize(ReadOnlySpan<float> weight, ChannelLayout layout, ReadOnlySpan<float> scales, int highest, Span<sbyte> result)
    {
        int row = layout.Inner == 1 ? layout.Channels : layout.Inner;
        var buffer = new float[row];
        for (int start = 0, r = 0; start < weight.Length; start += row, r++)
        {
            if (layout.Inner == 1)
                Tp.Divide(weight.Slice(start, row), scales, buffer);
            else
                Tp.Divide(weight.Slice(start, row), scales[r % layout.Channels], buffer);
            Tp.Round(buffer, buffer);
            Tp.Max(buffer, -highest, buffer);
            Tp.Min(buffer, highest, buffer);
            Tp.ConvertTruncating<float, sbyte>(buffer, result.Slice(start, row));
        }
    }

    /// <summary>A tensor that quantizes the weight each time it is read, so that no copy of a big weight stays in memory.</summary>
    /// <param name="axis">The axis of the output channels in <paramref name="weight"/>.</param>
    /// <param name="transpose">Whether the result shall be the transposed matrix.</param>
    public static Tensor Lazy(Tensor weight, int axis, IReadOnlyList<float> scales, int highest, bool transpose)
    {
        ArgumentNullException.ThrowIfNull(weight);
        var layout = ChannelLayout.Of(weight.Dimensions, axis);
        float[] scaleArray = [.. scales];
        if (!transpose)
        {
            return Tensor.Lazy(ElementType.Int8, weight.Dimensions.AsSpan(), bytes =>
            {
                using TensorLease lease = weight.Open();
                Quantize(lease.As<float>(), layout, scaleArray, highest, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, sbyte>(bytes));
            });
        }

        int rows = checked((int)weight.Dimensions[0]), columns = checked((int)weight.Dimensions[1]);
        return Tensor.Lazy(ElementType.Int8, [columns, rows], bytes =>
        {
            using TensorLease lease = weight.Open();
            var quantized = new sbyte[rows * columns];
            Quantize(lease.As<float>(), layout, scaleArray, highest, quantized);
            Transpose<sbyte>(quantized, rows, columns, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, sbyte>(bytes));
        });
    }

    /// <summary>Transposes a matrix of the given rows and columns.</summary>
    internal static void Transpose<T>(ReadOnlySpan<T> source, int rows, int columns, Span<T> result)
    {
        const int Tile = 64;
        for (int r0 = 0; r0 < rows; r0 += Tile)
        {
            for (int c0 = 0; c0 < columns; c0 += Tile)
            {
                for (int c = c0; c < Math.Min(c0 + Tile, columns); c++)
                {
                    for (int r = r0; r < Math.Min(r0 + Tile, rows); r++)
                        result[(c * rows) + r] = source[(r * columns) + c];
                }
            }
        }
    }
}
