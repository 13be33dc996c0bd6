using SamCompress.IR;

namespace SamCompress.Benchmarks;

/// <summary>The ways to write SAM's attention with decomposed relative position, from the output of the Linear to the input of the projection.</summary>
internal sealed class SamAttentionForms(string name, int groups, int side, int heads, int size) : OperatorForms
{
    private const float Scale = 0.125f;

    private long Tokens => side * side;

    private long Width => heads * size;

    public override string Name => $"sam-attention-{name}";

    public override string Question => $"which form of {groups} x {Tokens} tokens with relative positions is fast?";

    protected override int Rounds => Tokens > 1000 ? 6 : 25;

    protected override IReadOnlyList<long[]> InputShapes => [[groups, Tokens, 3 * Width]];

    protected override IEnumerable<(string Name, Func<Graph, IReadOnlyList<Value>, Value> Build)> Forms =>
    [
        ("exporter's: two sums", (g, x) => Exporter(g, x[0], positions: true)),
        ("without positions", (g, x) => Exporter(g, x[0], positions: false)),
        ("products with a basis", (g, x) => Folded(g, x[0])),
        ("blocked by Scan", (g, x) => Blocked(g, x[0], Math.Max(1, Tokens / 256))),
        ("MultiHeadAttention, no positions", (g, x) => Fused(g, x[0], 0)),
        ($"MultiHeadAttention, {2 * side} columns", (g, x) => Fused(g, x[0], 2 * side)),
        ("MultiHeadAttention, 64 columns", (g, x) => Fused(g, x[0], 64)),
        ("MultiHeadAttention, 32 columns", (g, x) => Fused(g, x[0], 32)),
        ("MultiHeadAttention, 16 columns", (g, x) => Fused(g, x[0], 16)),
    ];

    private Value Exporter(Graph graph, Value rows, bool positions)
    {
        (Value query, Value key, Value value) = Heads(graph, rows);
        Value logits = Standard(graph, "MatMul", [Scaled(graph, query), Transposed(graph, key, 0, 2, 1)]);
        if (positions)
        {
            (Value height, Value width) = Positions(graph, query);
            Value map = Standard(graph, "Add", [Shaped(graph, logits, groups * heads, side, side, side, side), Shaped(graph, height, groups * heads, side, side, side, 1)]);
            logits = Shaped(graph, Standard(graph, "Add", [map, Shaped(graph, width, groups * heads, side, side, 1, side)]), groups * heads, Tokens, Tokens);
        }

        return Merged(graph, Standard(graph, "MatMul", [Softmax(graph, logits), value]));
    }

    private Value Folded(Graph graph, Value rows)
    {
        (Value query, Value key, Value value) = Heads(graph, rows);
        (Value height, Value width) = Positions(graph, query);
        Value columns = Shaped(graph, Joined(graph, height, width), groups * heads, Tokens, 2 * side);
        Value logits = Standard(graph, "MatMul", [Scaled(graph, query), Transposed(graph, key, 0, 2, 1)]);
        logits = Standard(graph, "Add", [logits, Standard(graph, "MatMul", [columns, Floats(graph, 2 * side, Tokens)])]);
        return Merged(graph, Standard(graph, "MatMul", [Softmax(graph, logits), value]));
    }

    private Value Blocked(Graph graph, Value rows, long blocks)
    {
        (Value query, Value key, Value value) = Heads(graph, rows);
        (Value height, Value width) = Positions(graph, query);
        long batch = groups * heads, length = Tokens / blocks;
        Value[] scanned =
        [
            Shaped(graph, Scaled(graph, query), batch, blocks, length, size), Shaped(graph, height, batch, blocks, length, side, 1), Shaped(graph, width, batch, blocks, length, 1, side),
        ];
        Value keys = Transposed(graph, key, 0, 2, 1);
        var body = new Graph("block", graph);
        Value[] own =
        [
            body.AddInput("query", ElementType.Float, Shape.Of(batch, length, size)),
            body.AddInput("height", ElementType.Float, Shape.Of(batch, length, side, 1)),
            body.AddInput("width", ElementType.Float, Shape.Of(batch, length, 1, side)),
        ];
        Value logits = Standard(body, "Reshape", [Standard(body, "MatMul", [own[0], keys]), Ints(graph, batch, length, side, side)]);
        logits = Standard(body, "Reshape", [Standard(body, "Add", [Standard(body, "Add", [logits, own[1]]), own[2]]), Ints(graph, batch, length, Tokens)]);
        Value context = Standard(body, "MatMul", [Softmax(body, logits), value]);
        context.ElementType = ElementType.Float;
        body.AddOutput(context);
        return Merged(graph, Standard(
            graph, "Scan", scanned, NodeAttribute.Of("body", body), NodeAttribute.Of("num_scan_inputs", 3L), NodeAttribute.Of("scan_input_axes", [1L, 1, 1]), NodeAttribute.Of("scan_output_axes", [1L])));
    }

    private Value Fused(Graph graph, Value rows, long columns)
    {
        IReadOnlyList<Value> parts = Split(graph, rows, -1, Width, Width, Width);
        Value query = parts[0], key = parts[1];
        if (columns > 0)
        {
            Value map = Shaped(graph, query, groups, side, side, heads, size);
            Value height = Contracted(graph, map, "ghwnc,hck->ghwnk", side, size, columns / 2), width = Contracted(graph, map, "ghwnc,wck->ghwnk", side, size, columns / 2);
            query = Shaped(graph, Joined(graph, Scaled(graph, map), height, width), groups, Tokens, heads * (size + columns));
            Value basis = Standard(graph, "Expand", [Floats(graph, 1, Tokens, 1, columns), Ints(graph, groups, Tokens, heads, columns)]);
            key = Shaped(graph, Joined(graph, Shaped(graph, key, groups, Tokens, heads, size), basis), groups, Tokens, heads * (size + columns));
        }

        return Contributed(graph, "MultiHeadAttention", [query, key, parts[2]], NodeAttribute.Of("num_heads", (long)heads), NodeAttribute.Of("scale", columns > 0 ? 1 : Scale));
    }

    private (Value Query, Value Key, Value Value) Heads(Graph graph, Value rows)
    {
        Value together = Shaped(graph, Transposed(graph, Shaped(graph, rows, groups, Tokens, 3, heads, size), 2, 0, 3, 1, 4), 3, groups * heads, Tokens, size);
        Value[] parts = [.. Split(graph, together, 0, 1, 1, 1).Select(p => Shaped(graph, p, groups * heads, Tokens, size))];
        return (parts[0], parts[1], parts[2]);
    }

    private (Value Height, Value Width) Positions(Graph graph, Value query)
    {
        Value map = Shaped(graph, query, groups * heads, side, side, size);
        return (Contracted(graph, map, "bhwc,hkc->bhwk", side, side, size), Contracted(graph, map, "bhwc,wkc->bhwk", side, side, size));
    }

    private static Value Contracted(Graph graph, Value map, string equation, params long[] table) =>
        Standard(graph, "Einsum", [map, Floats(graph, table)], NodeAttribute.Of("equation", equation));

    private Value Merged(Graph graph, Value context) =>
        Shaped(graph, Transposed(graph, Shaped(graph, context, groups, heads, Tokens, size), 0, 2, 1, 3), groups, Tokens, Width);

    private static Value Scaled(Graph graph, Value value) => Standard(graph, "Mul", [value, Scalar(graph, Scale)]);

    private static Value Softmax(Graph graph, Value logits) => Standard(graph, "Softmax", [logits], NodeAttribute.Of("axis", -1L));

    private static Value Joined(Graph graph, params Value[] parts) => Standard(graph, "Concat", parts, NodeAttribute.Of("axis", -1L));

    private static Value Shaped(Graph graph, Value value, params long[] shape) => Standard(graph, "Reshape", [value, Ints(graph, shape)]);

    private static Value Transposed(Graph graph, Value value, params long[] order) => Standard(graph, "Transpose", [value], NodeAttribute.Of("perm", order));

    private static IReadOnlyList<Value> Split(Graph graph, Value value, long axis, params long[] sizes) =>
        [.. graph.Append("Split", [value, Ints(graph, sizes)], [.. sizes.Select((_, i) => graph.FreshName($"part{i}"))], [NodeAttribute.Of("axis", axis)]).Outputs.Select(o => o!)];
}
