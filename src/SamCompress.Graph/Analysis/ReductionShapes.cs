namespace SamCompress.IR.Analysis;

/// <summary>Operators that take dimensions away or shorten them: reductions, arg-reductions, top-k, pooling.</summary>
internal static class ReductionShapes
{
    public static void Register(ShapeFunctions functions)
    {
        foreach (string op in (string[])["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"])
            functions.Add(op, Reduce);
        foreach (string op in (string[])["ArgMax", "ArgMin"])
            functions.Add(op, n => n.Output(0, ElementType.Int64, Without(n, n.Shape(0), [n.Node.GetInt("axis", 0)])));
        functions.Add("TopK", TopK);
        foreach (string op in (string[])["MaxPool", "AveragePool", "LpPool"])
            functions.Add(op, Pool);
        foreach (string op in (string[])["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"])
            functions.Add(op, n => n.Output(0, n.Type(0), n.Shape(0) is { } s ? new Shape(s.Select((d, i) => i < 2 ? d : 1)) : null));
    }

    private static void Reduce(NodeInference n)
    {
        Shape? shape = n.Shape(0);
        bool axesAreInput = n.HasInput(1);
        long[]? axes = n.IntsOrInput("axes", 1);
        if (axesAreInput && axes is null)
        {
            bool keeps = n.Node.GetInt("keepdims", 1) != 0;
            n.Output(0, n.Type(0), keeps && shape is not null ? new Shape(shape.Select(_ => Dimension.Unknown)) : null);
            return;
        }

        if (axes is null or [] && n.Node.GetInt("noop_with_empty_axes", 0) != 0)
            n.Output(0, n.Type(0), shape);
        else
            n.Output(0, n.Type(0), Without(n, shape, axes is null or [] ? null : axes));
    }

    /// <param name="axes">Null for all.</param>
    private static Shape? Without(NodeInference n, Shape? shape, long[]? axes)
    {
        if (shape is null)
            return axes is null && n.Node.GetInt("keepdims", 1) == 0 ? Shape.Scalar : null;
        int[] gone = axes is null ? [.. Enumerable.Range(0, shape.Rank)] : NodeInference.Axes(axes, shape.Rank);
        return n.Node.GetInt("keepdims", 1) != 0
            ? new Shape(shape.Select((d, i) => gone.Contains(i) ? 1 : d))
            : new Shape(shape.Where((_, i) => !gone.Contains(i)));
    }

    private static void TopK(NodeInference n)
    {
        Shape? result = null;
        if (n.Shape(0) is { } shape)
        {
            int axis = NodeInference.Axis(n.Node.GetInt("axis", -1), shape.Rank);
            Dimension k = n.Node.Attribute("k") is { } attribute ? attribute.Int : n.Elements(1) is [var only] ? only : Dimension.Unknown;
            result = new Shape(shape.Select((d, i) => i == axis ? k : d));
        }

        n.Output(0, n.Type(0), result);
        n.Output(1, ElementType.Int64, result);
    }

    private static void Pool(NodeInference n)
    {
        Shape? result = null;
        if (n.Shape(0) is { } shape && n.Node.GetInts("kernel_shape") is { } kernel)
        {
            if (shape.Rank != kernel.Count + 2)
                throw new ShapeException($"kernel_shape has {kernel.Count} entries for an input of rank {shape.Rank}");
            var dimensions = new List<Dimension> { shape[0], shape[1] };
            for (int i = 0; i < kernel.Count; i++)
                dimensions.Add(LinearShapes.SlidingWindow(n.Node, shape[i + 2], kernel[i], i, kernel.Count, n.Node.GetInt("ceil_mode", 0) != 0));
            result = new Shape(dimensions);
        }

        n.Output(0, n.Type(0), result);
        n.Output(1, ElementType.Int64, result);
    }
}
