namespace SamCompress.IR.Analysis;

/// <summary>Matrix products, contractions and convolutions.</summary>
internal static class LinearShapes
{
    public static void Register(ShapeFunctions functions)
    {
        functions.Add("MatMul", n => n.Output(0, n.Type(0), MatMul(n.Shape(0), n.Shape(1))));
        functions.Add("MatMulInteger", n => n.Output(0, ElementType.Int32, MatMul(n.Shape(0), n.Shape(1))));
        functions.Add("QLinearMatMul", n => n.Output(0, n.Type(7), MatMul(n.Shape(0), n.Shape(3))));
        functions.Add("Gemm", n => n.Output(0, n.Type(0), Gemm(n)));
        functions.Add("Einsum", Einsum);
        functions.Add("Conv", n => n.Output(0, n.Type(0), Convolution(n, n.Shape(0), n.Shape(1))));
        functions.Add("ConvInteger", n => n.Output(0, ElementType.Int32, Convolution(n, n.Shape(0), n.Shape(1))));
        functions.Add("QLinearConv", n => n.Output(0, n.Type(7), Convolution(n, n.Shape(0), n.Shape(3))));
        functions.Add("ConvTranspose", ConvTranspose);
        functions.Add("MatMulIntegerToFloat", n => n.Output(0, ElementType.Float, MatMul(n.Shape(0), n.Shape(1))), OperatorDomain.Microsoft);
        functions.Add("DynamicQuantizeMatMul", n => n.Output(0, ElementType.Float, MatMul(n.Shape(0), n.Shape(1))), OperatorDomain.Microsoft);
        functions.Add("QGemm", n => n.Output(0, n.HasInput(8) ? n.Type(8) : ElementType.Float, Gemm(n, second: 3)), OperatorDomain.Microsoft);
        functions.Add("FusedConv", n => n.Output(0, n.Type(0), Convolution(n, n.Shape(0), n.Shape(1))), OperatorDomain.Microsoft);
        functions.Add("FusedGemm", n => n.Output(0, n.Type(0), Gemm(n)), OperatorDomain.Microsoft);
        functions.Add("FusedMatMul", FusedMatMul, OperatorDomain.Microsoft);
        functions.Add("MatMulNBits", n => n.Output(0, n.Type(0), n.Shape(0) is { Rank: > 0 } s ? new Shape([.. s.Take(s.Rank - 1), n.Node.GetInt("N", 0)]) : null), OperatorDomain.Microsoft);
        functions.Add("MultiHeadAttention", MultiHeadAttention, OperatorDomain.Microsoft);
    }

    /// <summary>How often a window fits along one dimension.</summary>
    /// <param name="place">Which of the spatial dimensions.</param>
    public static Dimension SlidingWindow(Node node, Dimension input, long kernel, int place, int spatial, bool ceiling)
    {
        long stride = At(node.GetInts("strides"), place, 1);
        long dilation = At(node.GetInts("dilations"), place, 1);
        if (stride <= 0 || dilation <= 0 || kernel <= 0)
            throw new ShapeException("strides, dilations and kernel must be positive");
        if (input.Value is not { } length)
            return stride == 1 && IsSamePadding(node, kernel, dilation, place, spatial) ? input : Dimension.Unknown;
        switch (node.GetString("auto_pad", "NOTSET"))
        {
            case "SAME_UPPER" or "SAME_LOWER":
                return (length + stride - 1) / stride;
            case "VALID":
                return FloorOrCeiling(length - (dilation * (kernel - 1)) - 1, stride, ceiling) + 1;
            default:
                long begin = At(node.GetInts("pads"), place, 0);
                long padded = checked(length + begin + At(node.GetInts("pads"), place + spatial, 0));
                long count = FloorOrCeiling(padded - (dilation * (kernel - 1)) - 1, stride, ceiling) + 1;
                // A window that would begin in the padding behind the data does not count.
                return ceiling && (count - 1) * stride >= length + begin ? count - 1 : count;
        }
    }

    private static bool IsSamePadding(Node node, long kernel, long dilation, int place, int spatial) => node.GetString("auto_pad", "NOTSET") switch
    {
        "SAME_UPPER" or "SAME_LOWER" => true,
        "NOTSET" => At(node.GetInts("pads"), place, 0) + At(node.GetInts("pads"), place + spatial, 0) == dilation * (kernel - 1),
        _ => kernel == 1,
    };

    private static long At(IReadOnlyList<long>? list, int index, long otherwise) => list is not null && index < list.Count ? list[index] : otherwise;

    private static long FloorOrCeiling(long numerator, long divisor, bool ceiling) =>
        numerator < 0 ? -1 : ceiling ? (numerator + divisor - 1) / divisor : numerator / divisor;

    private static Shape? MatMul(Shape? a, Shape? b)
    {
        if (a is null || b is null)
            return null;
        if (a.Rank == 0 || b.Rank == 0)
            throw new ShapeException("a scalar cannot be multiplied as a matrix");
        Dimension inner = a[a.Rank - 1];
        Dimension innerOfB = b[Math.Max(b.Rank - 2, 0)];
        if (inner.Value is { } x && innerOfB.Value is { } y && x != y)
            throw new ShapeException($"shapes {NodeInference.Text(a)} and {NodeInference.Text(b)} cannot be multiplied");
        Shape batch = NodeInference.Broadcast(new Shape(a.SkipLast(2)), new Shape(b.SkipLast(2)))!;
        IEnumerable<Dimension> rows = a.Rank > 1 ? [a[a.Rank - 2]] : [];
        IEnumerable<Dimension> columns = b.Rank > 1 ? [b[b.Rank - 1]] : [];
        return new Shape([.. batch, .. rows, .. columns]);
    }

    private static void FusedMatMul(NodeInference n)
    {
        if (n.Node.GetInt("transBatchA", 0) != 0 || n.Node.GetInt("transBatchB", 0) != 0)
        {
            n.Output(0, n.Type(0));
            return;
        }

        n.Output(0, n.Type(0), MatMul(Swapped(n.Shape(0), n.Node.GetInt("transA", 0) != 0), Swapped(n.Shape(1), n.Node.GetInt("transB", 0) != 0)));
    }

    private static Shape? Swapped(Shape? shape, bool swap) =>
        shape is { Rank: >= 2 } && swap ? new Shape([.. shape.SkipLast(2), shape[shape.Rank - 1], shape[shape.Rank - 2]]) : shape;

    private static Shape? Gemm(NodeInference n, int second = 1)
    {
        if (n.Shape(0) is not { Rank: 2 } a || n.Shape(second) is not { Rank: 2 } b)
            return null;
        return MatMul(Swapped(a, n.Node.GetInt("transA", 0) != 0), Swapped(b, n.Node.GetInt("transB", 0) != 0));
    }

    private static void Einsum(NodeInference n)
    {
        n.Output(0, n.Type(0));
        string equation = n.Node.GetString("equation", "").Replace(" ", "", StringComparison.Ordinal);
        if (equation.Contains('.', StringComparison.Ordinal))
            return;
        string[] sides = equation.Split("->");
        string[] terms = sides[0].Split(',');
        if (terms.Length != n.InputCount)
            throw new ShapeException($"equation '{equation}' has {terms.Length} terms for {n.InputCount} inputs");
        var dimensions = new SortedDictionary<char, Dimension>();
        for (int i = 0; i < terms.Length; i++)
        {
            if (n.Shape(i) is not { } shape)
                return;
            if (shape.Rank != terms[i].Length)
                throw new ShapeException($"term '{terms[i]}' does not fit an input of rank {shape.Rank}");
            for (int axis = 0; axis < shape.Rank; axis++)
            {
                char label = terms[i][axis];
                dimensions[label] = dimensions.TryGetValue(label, out Dimension known) ? NodeInference.Broadcast(known, shape[axis]) : shape[axis];
            }
        }

        string result = sides.Length > 1 ? sides[1] : string.Concat(dimensions.Keys.Where(label => sides[0].Count(c => c == label) == 1));
        if (result.FirstOrDefault(label => !dimensions.ContainsKey(label)) is not '\0' and var missing)
            throw new ShapeException($"equation '{equation}' uses '{missing}' only in its result");
        n.Output(0, n.Type(0), new Shape(result.Select(label => dimensions[label])));
    }

    private static Shape? Convolution(NodeInference n, Shape? input, Shape? weight)
    {
        if (input is null || weight is null)
            return null;
        if (input.Rank < 3 || input.Rank != weight.Rank)
            throw new ShapeException($"an input of rank {input.Rank} cannot be convolved with a weight of rank {weight.Rank}");
        long groups = n.Node.GetInt("group", 1);
        if (groups <= 0 || (input[1].Value is { } channels && weight[1].Value is { } perGroup && channels != perGroup * groups))
            throw new ShapeException($"{input[1]} channels do not fit a weight of shape {NodeInference.Text(weight)} in {groups} groups");
        var dimensions = new List<Dimension> { input[0], weight[0] };
        int spatial = input.Rank - 2;
        for (int i = 0; i < spatial; i++)
        {
            long? kernel = n.Node.GetInts("kernel_shape")?.ElementAtOrDefault(i) ?? weight[i + 2].Value;
            dimensions.Add(kernel is { } k ? SlidingWindow(n.Node, input[i + 2], k, i, spatial, ceiling: false) : Dimension.Unknown);
        }

        return new Shape(dimensions);
    }

    private static void ConvTranspose(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Shape(0) is not { Rank: > 2 } input || n.Shape(1) is not { } weight || weight.Rank != input.Rank)
            return;
        int spatial = input.Rank - 2;
        var dimensions = new List<Dimension> { input[0], SymbolicDimension.Multiply(weight[1], n.Node.GetInt("group", 1)) };
        for (int i = 0; i < spatial; i++)
            dimensions.Add(Unpooled(n.Node, input[i + 2], n.Node.GetInts("kernel_shape")?.ElementAtOrDefault(i) ?? weight[i + 2].Value, i, spatial));
        n.Output(0, n.Type(0), new Shape(dimensions));
    }

    private static Dimension Unpooled(Node node, Dimension input, long? kernel, int place, int spatial)
    {
        if (node.GetInts("output_shape") is { } given)
            return given[given.Count - spatial + place];
        if (input.Value is not { } length || kernel is null)
            return Dimension.Unknown;
        long stride = At(node.GetInts("strides"), place, 1);
        if (node.GetString("auto_pad", "NOTSET") is "SAME_UPPER" or "SAME_LOWER")
            return length * stride;
        return checked((stride * (length - 1)) + At(node.GetInts("output_padding"), place, 0) + ((kernel.Value - 1) * At(node.GetInts("dilations"), place, 1)) + 1
            - At(node.GetInts("pads"), place, 0) - At(node.GetInts("pads"), place + spatial, 0));
    }

    private static void MultiHeadAttention(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Shape(0) is { Rank: 3 } query && n.Shape(2) is { Rank: 3 } value)
            n.Output(0, n.Type(0), new Shape([query[0], query[1], value[2]]));
        else if (n.Shape(0) is { Rank: 3 } q && n.Shape(2) is { Rank: 4 } headed)
            n.Output(0, n.Type(0), new Shape([q[0], q[1], headed[1].Value is { } heads && headed[3].Value is { } size ? heads * size : Dimension.Unknown]));
    }
}
