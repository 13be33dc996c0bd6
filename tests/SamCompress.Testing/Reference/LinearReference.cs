using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Testing.Reference;

/// <summary>Products of matrices.</summary>
internal static class LinearReference
{
    public static void AddTo(Action<string, Func<ReferenceCall, ReferenceTensor>> add)
    {
        add("MatMul", call => MatMul(call[0], call[1]));
        add("com.microsoft.FusedMatMul", FusedMatMul);
        add("Gemm", Gemm);
        add("Einsum", Einsum);
    }

    private static ReferenceTensor MatMul(ReferenceTensor a, ReferenceTensor b)
    {
        if (a.Rank == 1)
            return MatMul(a with { Shape = [1, a.Shape[0]] }, b) is var row ? row with { Shape = [.. row.Shape[..^2], row.Shape[^1]] } : row;
        if (b.Rank == 1)
            return MatMul(a, b with { Shape = [b.Shape[0], 1] }) is var column ? column with { Shape = column.Shape[..^1] } : column;
        int m = a.Shape[^2], k = a.Shape[^1], n = b.Shape[^1];
        int[] batch = ElementwiseReference.Broadcast(a.Shape[..^2], b.Shape[..^2]);
        int[][] starts = [.. ElementwiseReference.Walk(batch, Batches(a), Batches(b)).Select(at => new[] { at[0] * m * k, at[1] * k * n })];
        double[] data = new double[starts.Length * m * n];
        Parallel.For(0, starts.Length * m, row =>
        {
            Span<double> sums = data.AsSpan(row * n, n);
            ReadOnlySpan<double> left = a.Data.AsSpan(starts[row / m][0] + (row % m * k), k);
            for (int i = 0; i < k; i++)
                Tp.MultiplyAdd(b.Data.AsSpan(starts[row / m][1] + (i * n), n), left[i], sums, sums);
        });
        return new ReferenceTensor(a.Type, [.. batch, m, n], data);

        int[] Batches(ReferenceTensor x) => ElementwiseReference.Steps(x with { Shape = x.Shape[..^2] }, batch);
    }

    private static ReferenceTensor Transposed(ReferenceTensor x)
    {
        int rows = x.Shape[^2], columns = x.Shape[^1];
        double[] data = new double[x.Data.Length];
        for (int i = 0; i < data.Length; i++)
            data[(i / (rows * columns) * rows * columns) + (i % columns * rows) + (i / columns % rows)] = x.Data[i];
        return x with { Shape = [.. x.Shape[..^2], columns, rows], Data = data };
    }

    private static ReferenceTensor FusedMatMul(ReferenceCall call)
    {
        double alpha = call.Node.GetFloat("alpha", 1);
        ReferenceTensor product = MatMul(call.Node.GetInt("transA", 0) != 0 ? Transposed(call[0]) : call[0], call.Node.GetInt("transB", 0) != 0 ? Transposed(call[1]) : call[1]);
        return ElementwiseReference.Map(product, x => alpha * x);
    }

    private static ReferenceTensor Gemm(ReferenceCall call)
    {
        double beta = call.Node.GetFloat("beta", 1);
        ReferenceTensor product = FusedMatMul(call);
        return call.Optional(2) is { } c ? ElementwiseReference.Zip(product, c, product.Type, (x, y) => x + (beta * y)) : product;
    }

    /// <summary>Sums over all letters that the output leaves out; without repeated letters in an operand and without an ellipsis.</summary>
    private static ReferenceTensor Einsum(ReferenceCall call)
    {
        string[] sides = call.Node.GetString("equation", "").Replace(" ", "", StringComparison.Ordinal).Split("->");
        string[] terms = sides[0].Split(',');
        if (sides.Length != 2 || terms.Length != call.Count || terms.Any(t => t.Contains('.', StringComparison.Ordinal) || t.Distinct().Count() != t.Length))
            throw call.Unsupported(call.Node.GetString("equation", ""));
        char[] letters = [.. sides[1], .. string.Concat(terms).Except(sides[1])];
        int[] sizes = [.. letters.Select(l => Enumerable.Range(0, terms.Length).Where(i => terms[i].Contains(l, StringComparison.Ordinal)).Select(i => call[i].Shape[terms[i].IndexOf(l, StringComparison.Ordinal)]).First())];
        int[] shape = sizes[..sides[1].Length], strides = ReferenceTensor.StridesOf(shape);
        int[][] steps = [[.. letters.Select((_, i) => i < shape.Length ? strides[i] : 0)], .. terms.Select((t, i) => letters.Select(l => t.IndexOf(l, StringComparison.Ordinal) is var at and >= 0 ? call[i].Strides()[at] : 0).ToArray())];
        double[] data = new double[ReferenceTensor.CountOf(shape)];
        foreach (int[] at in ElementwiseReference.Walk(sizes, steps))
        {
            double product = 1;
            for (int i = 0; i < terms.Length; i++)
                product *= call[i].Data[at[i + 1]];
            data[at[0]] += product;
        }

        return new ReferenceTensor(call[0].Type, shape, data);
    }
}
