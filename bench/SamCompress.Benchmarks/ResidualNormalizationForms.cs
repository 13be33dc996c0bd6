using SamCompress.IR;

namespace SamCompress.Benchmarks;

/// <summary>The ways to write a residual addition and the LayerNormalization behind it, with the sum read again, as between the blocks of SAM's image encoder.</summary>
internal sealed class ResidualNormalizationForms(string name, int rows, int channels) : OperatorForms
{
    private const float Epsilon = 1e-6f;

    public override string Name => name;

    public override string Question => $"is SkipLayerNormalization of {rows}x{channels} faster than Add and LayerNormalization?";

    protected override IReadOnlyList<long[]> InputShapes => [[rows, channels], [rows, channels]];

    protected override int Rounds => 200;

    protected override IEnumerable<(string Name, Func<Graph, IReadOnlyList<Value>, Value> Build)> Forms =>
    [
        ("Add, LayerNormalization of rank 4", (g, x) => Separate(g, Shaped(g, x[0], 1, 64, rows / 64, channels), Shaped(g, x[1], 1, 64, rows / 64, channels))),
        ("Add, LayerNormalization of rank 2", (g, x) => Separate(g, x[0], x[1])),
        ("SkipLayerNormalization", Skip),
        ("LayerNormalization alone", (g, x) => Standard(g, "LayerNormalization", [x[0], Floats(g, channels), Floats(g, channels)], NodeAttribute.Of("epsilon", Epsilon))),
        ("the final Add alone", (g, x) => Standard(g, "Add", [x[0], x[1]])),
    ];

    private Value Separate(Graph graph, Value a, Value b)
    {
        Value sum = Standard(graph, "Add", [a, b]);
        Value normalized = Standard(graph, "LayerNormalization", [sum, Floats(graph, channels), Floats(graph, channels)], NodeAttribute.Of("epsilon", Epsilon));
        return Standard(graph, "Add", [normalized, sum]);
    }

    private Value Skip(Graph graph, IReadOnlyList<Value> x)
    {
        Node node = graph.Append(
            "SkipLayerNormalization", [x[0], x[1], Floats(graph, channels), Floats(graph, channels)], [graph.FreshName("normalized"), "", "", graph.FreshName("sum")],
            [NodeAttribute.Of("epsilon", Epsilon)], OperatorDomain.Microsoft);
        return Standard(graph, "Add", [node.Output, node.Outputs[3]]);
    }

    private static Value Shaped(Graph graph, Value x, params long[] shape) => Standard(graph, "Reshape", [x, Constant(graph, "shape", Tensor.Vector(shape))]);
}
