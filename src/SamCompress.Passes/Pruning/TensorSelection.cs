using SamCompress.IR;

namespace SamCompress.Passes.Pruning;

/// <summary>Some positions of some axes of a tensor.</summary>
internal static class TensorSelection
{
    /// <summary>Larger results are computed when they are read.</summary>
    private const long LargestKept = 1 << 16;

    /// <param name="kept">For each axis the positions in rising order; null for all.</param>
    public static Tensor Of(Tensor source, IReadOnlyList<int[]?> kept)
    {
        long[] sizes = [.. source.Dimensions.Select((size, axis) => kept[axis]?.LongLength ?? size)];
        Tensor lazy = Tensor.Lazy(source.ElementType, sizes, bytes =>
        {
            using TensorLease lease = source.Open();
            Copy(lease.Bytes, bytes, source.Dimensions.AsSpan(), kept, axis: 0);
        });
        if (lazy.ByteLength > LargestKept)
            return lazy;
        using TensorLease whole = lazy.Open();
        return Tensor.FromBytes(source.ElementType, sizes, whole.Bytes.ToArray());
    }

    /// <summary>Copies one slice, from the given axis on; returns what of the destination is left.</summary>
    private static Span<byte> Copy(ReadOnlySpan<byte> from, Span<byte> to, ReadOnlySpan<long> sizes, IReadOnlyList<int[]?> kept, int axis)
    {
        int next = axis;
        while (next < sizes.Length && kept[next] is null)
            next++;
        if (next == sizes.Length)
        {
            from.CopyTo(to);
            return to[from.Length..];
        }

        // Everything before the next axis that is cut is a run of equal slices.
        int runs = 1;
        for (int i = axis; i < next; i++)
            runs *= (int)sizes[i];
        int run = from.Length / runs, slice = run / (int)sizes[next];
        for (int r = 0; r < runs; r++)
        {
            foreach (int position in kept[next]!)
                to = Copy(from.Slice((r * run) + (position * slice), slice), to, sizes, kept, next + 1);
        }

        return to;
    }
}
