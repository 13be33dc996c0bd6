using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Attention;

/// <summary>
/// Writes an attention anew: rows of the fused Linear in, rows of the projection's input out. Shapes are constant, elements move by Reshape and Transpose only.
/// </summary>
/// <param name="rows">The output of the Linear, or another value with the same channels and <c>order.RowCount</c> rows.</param>
/// <param name="order">Which rows attend to each other; need not be that of the attention.</param>
/// <param name="position">In the map of a group of <paramref name="order"/>.</param>
/// <param name="folded">A factor that the columns of the query hold already.</param>
internal sealed class AttentionWriter(GraphBuilder graph, SelfAttention attention, Value rows, TokenOrder order, PositionTerm position, double folded = 1)
{
    private long Heads => attention.Heads;

    private long Size => attention.HeadSize;

    private long Width => Heads * Size;

    private long Groups => order.GroupCount;

    private long Tokens => order.TokenCount;

    private double Scale => attention.Scale / folded;

    /// <summary>Two products around a Softmax, the term for positions as a product with a basis of the keys: MatMul(Softmax(q.k + columns.basis), v).</summary>
    public Value Products()
    {
        (Value query, Value key, Value value) = Operands();
        Value logits = graph.MatMul(Scaled(query), KeysAsColumns(key));
        logits = position switch
        {
            NoPosition => logits,
            BiasPosition bias => graph.Add(logits, RelativePosition.Scaled(graph, bias.Table, bias.Factor)),
            _ => graph.Add(logits, graph.MatMul(PositionColumns(query), Basis())),
        };
        Value weights = graph.Softmax(logits, -1);
        weights.Producer!.Name = attention.Softmax.Name;
        return graph.MatMul(weights, value);
    }

    /// <summary>The same for one block of queries after another, in a Scan, so that only the logits of a block exist at a time.</summary>
    /// <param name="blocks">Must divide the tokens.</param>
    /// <param name="fusesTranspose">Whether keys are read transposed, by an operator that ONNX Runtime contributes, rather than moved.</param>
    public Value Blocked(long blocks, bool fusesTranspose)
    {
        (Value query, Value key, Value value) = Operands();
        long batch = Groups * Heads, length = Tokens / blocks;
        if (fusesTranspose)
            graph.Model.ImportOpset(OperatorDomain.Microsoft, 1);
        Value keys = fusesTranspose ? key : KeysAsColumns(key);
        List<Value> scanned = [graph.Reshape(Scaled(query), batch, blocks, length, Size)];
        if (position is not NoPosition)
            scanned.AddRange(InBlocks(Contractions(graph.Reshape(query, batch, MapOfTokens.Height, MapOfTokens.Width, Size), "bhwc", "bhwk"), blocks));

        var body = new Graph("attention_block", graph.Graph);
        Value[] own = [.. scanned.Select((s, i) => body.AddInput(body.FreshName(i == 0 ? "query" : "columns"), ElementType.Float, new Shape([s.Shape![0], .. s.Shape.Skip(2)])))];
        Value logits = fusesTranspose ? InBody("FusedMatMul", [own[0], keys], NodeAttribute.Of("transB", 1L)) : InBody("MatMul", [own[0], keys]);
        if (position is DecomposedPosition p)
        {
            Value map = InBody("Reshape", [logits, graph.Vector(batch, length, p.Rows, p.Columns)]);
            logits = InBody("Reshape", [InBody("Add", [InBody("Add", [map, own[1]]), own[2]]), graph.Vector(1, batch, length, Tokens)]);
        }
        else if (position is ProjectedPosition)
        {
            logits = InBody("Add", [logits, InBody("MatMul", [own[1], Basis()])]);
        }

        Value context = InBody("MatMul", [InBody("Softmax", [logits], NodeAttribute.Of("axis", -1L)), value]);
        context.ElementType = ElementType.Float;
        body.AddOutput(context);
        Value result = graph.Op(
            "Scan", scanned, [NodeAttribute.Of("body", body), NodeAttribute.Of("num_scan_inputs", (long)scanned.Count), NodeAttribute.Of("scan_input_axes", scanned.Select(_ => 1L)), NodeAttribute.Of("scan_output_axes", [2L])]);
        result.ElementType = ElementType.Float;
        result.Shape = Shape.Of(1, batch, blocks, length, Size);
        return result;

        Value InBody(string opType, IReadOnlyList<Value?> inputs, params NodeAttribute[] attributes)
        {
            Value made = body.Append(opType, inputs, [body.FreshName("block_" + opType)], attributes, opType == "FusedMatMul" ? OperatorDomain.Microsoft : OperatorDomain.Onnx).Output;
            ShapeInference.Infer(graph.Model, made.Producer!);
            return made;
        }
    }

    /// <summary>Columns of positions cut into blocks of queries, those of rows and of columns such that they can be added to logits seen as a map of keys.</summary>
    private IEnumerable<Value> InBlocks(IReadOnlyList<Value> columns, long blocks)
    {
        long batch = Groups * Heads, length = Tokens / blocks;
        return position is DecomposedPosition p
            ? [graph.Reshape(columns[0], batch, blocks, length, p.Rows, 1), graph.Reshape(columns[1], batch, blocks, length, 1, p.Columns)]
            : [graph.Reshape(columns[0], batch, blocks, length, columns[0].Shape![^1].Value!.Value)];
    }

    /// <summary>
    /// The associative form without Softmax: relu(q).(relu(k)^T.[v 1]), the last column of the result divides the others. No factor, no term for positions:
    /// the first cancels, the second has no counterpart.
    /// </summary>
    /// <param name="epsilon">Keeps the division finite where no query channel is positive.</param>
    public Value Linear(float epsilon)
    {
        (Value query, Value key, Value value) = Operands();
        Value ones = graph.Op("Pad", [value, graph.Vector(0, 0, 0, 0, 0, 0, 0, 1), graph.Constant(1f)]);
        Value sums = graph.MatMul(KeysAsColumns(graph.Op("Relu", [key])), ones);
        Value weighted = graph.MatMul(graph.Op("Relu", [query]), sums);
        IReadOnlyList<Value> parts = graph.Op("Split", [weighted, graph.Vector(Size, 1)], 2, [NodeAttribute.Of("axis", -1L)]);
        return graph.Div(parts[0], graph.Add(parts[1], graph.Constant(epsilon)));
    }

    /// <summary>One operator that ONNX Runtime contributes, which never makes the logits whole. Positions are further columns of query and key.</summary>
    public Value Fused()
    {
        IReadOnlyList<Value> parts = TokenOperands();
        Value query = parts[0], key = parts[1];
        double scale = Scale;
        if (position is not NoPosition)
        {
            (long height, long width) = MapOfTokens;
            Value map = graph.Reshape(query, Groups, height, width, Heads, Size);
            Value basis = graph.Transpose(Basis(), 1, 0);
            long columns = basis.Shape![^1].Value!.Value;
            query = graph.Reshape(graph.Concat([Scaled(map), .. Contractions(map, "ghwnc", "ghwnk")], -1), Groups, Tokens, Heads * (Size + columns));
            Value keyColumns = graph.Op("Expand", [graph.Reshape(basis, 1, Tokens, 1, columns), graph.Vector(Groups, Tokens, Heads, columns)]);
            key = graph.Reshape(graph.Concat([graph.Reshape(key, Groups, Tokens, Heads, Size), keyColumns], -1), Groups, Tokens, Heads * (Size + columns));
            scale = 1;
        }

        return graph.Op(
            "MultiHeadAttention", [query, key, parts[2]], [NodeAttribute.Of("num_heads", Heads), NodeAttribute.Of("scale", (float)scale)], OperatorDomain.Microsoft);
    }

    /// <summary>Puts what the heads made, [..., tokens, head size] for each group and head, into the rows of a value of the given shape.</summary>
    public Value MergeHeads(Value context, params ReadOnlySpan<long> shape)
    {
        int groups = order.Groups.Length;
        Value split = graph.Reshape(context, [.. order.Groups.Select(d => d.Size), Heads, .. order.Tokens.Select(d => d.Size), Size]);
        long[] places = [.. Inverse().Select(p => (long)(p < groups ? p : p + 1)), groups, order.RowDigits.Length + 1];
        return graph.Reshape(graph.Transpose(split, places), shape);
    }

    /// <summary>Puts what <see cref="Fused"/> made into the rows of a value of the given shape.</summary>
    public Value MergeTokens(Value context, params ReadOnlySpan<long> shape)
    {
        if (order.IsRowOrder)
            return graph.Reshape(context, shape);
        Value split = graph.Reshape(context, [.. order.Groups.AddRange(order.Tokens).Select(d => d.Size), Width]);
        return graph.Reshape(graph.Transpose(split, [.. Inverse().Select(p => (long)p), order.RowDigits.Length]), shape);
    }

    /// <summary>The place of each digit of a row among those of groups and tokens.</summary>
    private IEnumerable<int> Inverse()
    {
        IReadOnlyList<int> permutation = order.Permutation;
        return Enumerable.Range(0, permutation.Count).Select(p => permutation.ToList().IndexOf(p));
    }

    /// <summary>The values of all heads side by side, [rows, heads * head size].</summary>
    public Value Values()
    {
        ColumnLayout columns = attention.Columns;
        if (columns.IsPartMajor)
            return graph.Slice(graph.Reshape(rows, order.RowCount, 3 * Width), -1, 2 * Width, 3 * Width);
        Value split = graph.Reshape(rows, [order.RowCount, .. columns.Digits.Select(d => d.Size)]);
        long[] places = [0, .. new[] { ColumnLayout.Part, ColumnLayout.Head, ColumnLayout.Channel }.Select(r => 1L + columns.PlaceOf(r))];
        return graph.Reshape(graph.Slice(graph.Transpose(split, places), 1, 2, 3), order.RowCount, Width);
    }

    /// <summary>Query, key and value, each [1, groups * heads, tokens, head size], or [1, groups, heads, tokens, head size] where a table of the heads is added.</summary>
    private (Value Query, Value Key, Value Value) Operands()
    {
        int digits = order.RowDigits.Length;
        Value split = graph.Reshape(rows, [.. order.RowDigits.Select(d => d.Size), .. attention.Columns.Digits.Select(d => d.Size)]);
        IEnumerable<long> places = order.Permutation.Select(p => (long)p);
        long Place(int role) => digits + attention.Columns.PlaceOf(role);
        Value ordered = graph.Transpose(
            split, [Place(ColumnLayout.Part), .. places.Take(order.Groups.Length), Place(ColumnLayout.Head), .. places.Skip(order.Groups.Length), Place(ColumnLayout.Channel)]);
        Value together = position is BiasPosition ? graph.Reshape(ordered, 3, Groups, Heads, Tokens, Size) : graph.Reshape(ordered, 3, Groups * Heads, Tokens, Size);
        IReadOnlyList<Value> parts = graph.Op("Split", [together, graph.Vector(1, 1, 1)], 3, [NodeAttribute.Of("axis", 0L)]);
        return (parts[0], parts[1], parts[2]);
    }

    /// <summary>Query, key and value, each [groups, tokens, heads * head size].</summary>
    private IReadOnlyList<Value> TokenOperands()
    {
        Value ordered = rows;
        if (!order.IsRowOrder)
            ordered = graph.Transpose(graph.Reshape(rows, [.. order.RowDigits.Select(d => d.Size), 3 * Width]), [.. order.Permutation.Select(p => (long)p), order.RowDigits.Length]);
        if (attention.Columns.IsPartMajor)
            return graph.Op("Split", [graph.Reshape(ordered, Groups, Tokens, 3 * Width), graph.Vector(Width, Width, Width)], 3, [NodeAttribute.Of("axis", -1L)]);
        Value split = graph.Reshape(ordered, [Groups, Tokens, .. attention.Columns.Digits.Select(d => d.Size)]);
        IReadOnlyList<Value> parts = graph.Op("Split", [split, graph.Vector(1, 1, 1)], 3, [NodeAttribute.Of("axis", 2L + attention.Columns.PlaceOf(ColumnLayout.Part))]);
        return [.. parts.Select(p => graph.Reshape(p, Groups, Tokens, Width))];
    }

    private Value Scaled(Value query) => Scale == 1 ? query : graph.Mul(query, graph.Constant((float)Scale));

    private Value KeysAsColumns(Value key)
    {
        int rank = key.Shape!.Rank;
        return graph.Transpose(key, [.. Enumerable.Range(0, rank - 2).Select(a => (long)a), rank - 1, rank - 2]);
    }

    private (long Height, long Width) MapOfTokens => position switch
    {
        DecomposedPosition p => (p.Rows, p.Columns),
        ProjectedPosition p => (p.Rows, p.Columns),
        _ => throw new InvariantException($"{position} has no map"),
    };

    /// <summary>What a basis of the keys is multiplied by, [1, groups * heads, tokens, columns].</summary>
    private Value PositionColumns(Value query)
    {
        (long height, long width) = MapOfTokens;
        IReadOnlyList<Value> parts = Contractions(graph.Reshape(query, Groups * Heads, height, width, Size), "bhwc", "bhwk");
        Value columns = parts.Count == 1 ? parts[0] : graph.Concat(parts, -1);
        return graph.Reshape(columns, 1, Groups * Heads, Tokens, columns.Shape![^1].Value!.Value);
    }

    /// <summary>The products of a query with the tables of its row and column, side by side or added.</summary>
    private IReadOnlyList<Value> Contractions(Value map, string query, string result)
    {
        Value Contract(Value table, string by, double factor) =>
            graph.Op("Einsum", [map, RelativePosition.Scaled(graph, table, factor / folded)], [NodeAttribute.Of("equation", $"{query},{by}->{result}")]);

        return position switch
        {
            DecomposedPosition p => [Contract(p.Height, "hkc", p.Factor), Contract(p.Width, "wkc", p.Factor)],
            ProjectedPosition p => [graph.Add(Contract(p.Height, "hck", p.Factor), Contract(p.Width, "wck", p.Factor))],
            _ => throw new InvariantException($"{position} has no columns"),
        };
    }

    /// <summary>[columns, tokens].</summary>
    private Value Basis() => position switch
    {
        DecomposedPosition p => graph.Constant(Tensor.Of(RelativePosition.OneHot(p.Rows, p.Columns), p.Rows + p.Columns, p.Rows * p.Columns), graph.Graph.Name + "_keys"),
        ProjectedPosition p => p.Basis,
        _ => throw new InvariantException($"{position} has no basis"),
    };
}
