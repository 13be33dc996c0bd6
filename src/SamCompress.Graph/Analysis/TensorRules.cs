using System.Runtime.InteropServices;
using SamCompress.IR.Serialization;

namespace SamCompress.IR.Analysis;

/// <summary>The rules of tensors and sparse tensors. That the data of a dense one has the right length holds for every <see cref="Tensor"/>.</summary>
internal static class TensorRules
{
    public static void Check(Tensor tensor, Func<string> where, CheckReport report)
    {
        if (!tensor.ElementType.IsKnown())
            report.Error("SC3150", where(), $"element type {(int)tensor.ElementType} is not known");
        foreach (long dimension in tensor.Dimensions)
        {
            if (dimension < 0)
                report.Error("SC3150", where(), $"{tensor} has a negative dimension");
        }
    }

    public static void Check(SparseTensorProto sparse, string where, CheckReport report)
    {
        if (Problem(sparse) is { } problem)
            report.Error("SC3151", where, $"sparse tensor: {problem}");
    }

    private static string? Problem(SparseTensorProto sparse)
    {
        if (sparse.Values is null)
            return "there are no values";
        if (!((ElementType)sparse.Values.DataType).IsKnown())
            return $"element type {sparse.Values.DataType} is not known";
        if (sparse.Values.Dims.Count != 1 || sparse.Values.Dims[0] < 0)
            return "the values must have rank 1";
        if (sparse.Dims.Count == 0 || sparse.Dims.Any(d => d <= 0))
            return "there must be dimensions, and all positive";
        long stored = sparse.Values.Dims[0];
        if (sparse.Indices is null)
            return stored == 0 ? null : "there are no indices";
        if (sparse.Indices.DataType != (int)ElementType.Int64)
            return "the indices must be int64";
        int rank = sparse.Indices.Dims.Count;
        if (rank is not (1 or 2) || sparse.Indices.Dims[0] != stored || (rank == 2 && sparse.Indices.Dims[1] != sparse.Dims.Count))
            return $"the indices must have the shape [{stored}] or [{stored},{sparse.Dims.Count}]";
        if (sparse.Indices.DataLocation != 0)
            return null;
        ReadOnlySpan<long> indices = sparse.Indices.HasRawData
            ? MemoryMarshal.Cast<byte, long>(sparse.Indices.RawData.Span)
            : sparse.Indices.Int64Data.ToArray();
        return IndexProblem(sparse, indices, stored, rank == 1 ? 1 : sparse.Dims.Count);
    }

    private static string? IndexProblem(SparseTensorProto sparse, ReadOnlySpan<long> indices, long stored, int width)
    {
        if (indices.Length / width != stored || indices.Length % width != 0)
            return $"there are {indices.Length} indices for {stored} values";
        UInt128 size = 1;
        foreach (long d in sparse.Dims)
            size = size > long.MaxValue ? size : size * (ulong)d;
        Int128 previous = -1;
        for (int i = 0; i < stored; i++)
        {
            Int128 position = 0;
            for (int j = 0; j < width; j++)
            {
                long index = indices[(i * width) + j];
                if (index < 0 || (width == 1 ? (UInt128)index >= size : index >= sparse.Dims[j]))
                    return $"index {index} of value {i} is out of range";
                position = width == 1 ? index : (position * sparse.Dims[j]) + index;
            }

            if (position <= previous)
                return $"the index of value {i} is not over the one before";
            previous = position;
        }

        return null;
    }
}
