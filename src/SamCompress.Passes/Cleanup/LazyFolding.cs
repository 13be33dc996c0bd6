using System.Runtime.InteropServices;
using SamCompress.IR;

namespace SamCompress.Passes.Cleanup;

/// <summary>Folds what exporters do to whole weights without holding a copy in memory: the result is computed each time it is read.</summary>
internal static class LazyFolding
{
    /// <summary>Smaller results are worth keeping.</summary>
    private const long LeastBytes = 1 << 20;

    /// <summary>The output of a node that reshapes, transposes or casts one big constant; null for any other node.</summary>
    public static Tensor? TryFold(Node node)
    {
        if (node.Domain.Length > 0 || node.Input(0)?.Constant is not { } source || source.ByteLength < LeastBytes)
            return null;
        if (node.Outputs is not [{ IsGraphOutput: false } output] || output.Shape?.ToStatic() is not { } shape)
            return null;
        return node.OpType switch
        {
            "Identity" or "Reshape" or "Squeeze" or "Unsqueeze" or "Flatten" => Reshaped(source, shape),
            "Transpose" when node.Permutation() is { } order => Transposed(source, shape, order),
            "Cast" when output.ElementType == ElementType.Float && source.ElementType == ElementType.Float16 => Widened(source, shape),
            _ => null,
        };
    }

    private static Tensor Reshaped(Tensor source, long[] shape) => Tensor.Lazy(source.ElementType, shape, bytes =>
    {
        using TensorLease lease = source.Open();
        lease.Bytes.CopyTo(bytes);
    });

    private static Tensor? Transposed(Tensor source, long[] shape, long[] order)
    {
        // Strides of the source in the order of the result's axes.
        var strides = new long[order.Length];
        for (int i = 0; i < order.Length; i++)
            strides[i] = source.Dimensions.Skip((int)order[i] + 1).Aggregate(1L, (product, d) => product * d);
        return source.ElementType.BitWidth() switch
        {
            8 => Tensor.Lazy(source.ElementType, shape, bytes => Transpose<byte>(source, bytes, shape, strides)),
            16 => Tensor.Lazy(source.ElementType, shape, bytes => Transpose<ushort>(source, bytes, shape, strides)),
            32 => Tensor.Lazy(source.ElementType, shape, bytes => Transpose<uint>(source, bytes, shape, strides)),
            64 => Tensor.Lazy(source.ElementType, shape, bytes => Transpose<ulong>(source, bytes, shape, strides)),
            _ => null,
        };
    }

    private static void Transpose<T>(Tensor source, Span<byte> bytes, long[] shape, long[] strides)
        where T : unmanaged
    {
        using TensorLease lease = source.Open();
        ReadOnlySpan<T> from = lease.As<T>();
        Span<T> to = MemoryMarshal.Cast<byte, T>(bytes);
        var index = new long[shape.Length];
        int rowLength = (int)shape[^1];
        long rowStride = strides[^1];
        long start = 0;
        for (int place = 0; place < to.Length; place += rowLength)
        {
            for (int i = 0; i < rowLength; i++)
                to[place + i] = from[(int)(start + (i * rowStride))];
            for (int axis = shape.Length - 2; axis >= 0; axis--)
            {
                start += strides[axis];
                if (++index[axis] < shape[axis])
                    break;
                start -= strides[axis] * shape[axis];
                index[axis] = 0;
            }
        }
    }

    private static Tensor Widened(Tensor source, long[] shape) => Tensor.Lazy(ElementType.Float, shape, bytes =>
    {
        using TensorLease lease = source.Open();
        ReadOnlySpan<Half> from = lease.As<Half>();
        Span<float> to = MemoryMarshal.Cast<byte, float>(bytes);
        for (int i = 0; i < from.Length; i++)
            to[i] = (float)from[i];
    });
}
