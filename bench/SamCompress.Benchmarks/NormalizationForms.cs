using SamCompress.IR;

namespace SamCompress.Benchmarks;

/// <summary>Normalization over the channels of maps: primitive operators, or LayerNormalization with the channels last.</summary>
internal sealed class NormalizationForms(int channels, int side) : OperatorForms
{
    private static readonly NodeAttribute ToChannelsLast = NodeAttribute.Of("perm", [0L, 2, 3, 1]);
    private static readonly NodeAttribute ToChannelsFirst = NodeAttribute.Of("perm", [0L, 3, 1, 2]);

    public override string Name => $"normalization-{channels}";

    public override string Question => $"Which form of a normalization over {channels} channels of {side} x {side} pixels is fast?";

    protected override IReadOnlyList<long[]> InputShapes => [[1, channels, side, side]];

    protected override int Rounds => 60;

    protected override IEnumerable<(string Name, Func<Graph, IReadOnlyList<Value>, Value> Build)> Forms =>
    [
        ("primitive operators", (g, x) => Primitive(g, x[0])),
        ("LayerNormalization between two Transposes", (g, x) => Standard(g, "Transpose", [Normalized(g, Standard(g, "Transpose", [x[0]], ToChannelsLast))], ToChannelsFirst)),
        ("LayerNormalization and one Transpose", (g, x) => Standard(g, "Transpose", [Normalized(g, Standard(g, "Reshape", [x[0], Ints(g, 1, side, side, channels)]))], ToChannelsFirst)),
    ];

    private Value Primitive(Graph graph, Value x)
    {
        Value difference = Standard(graph, "Sub", [x, Mean(graph, x)]);
        Value variance = Mean(graph, Standard(graph, "Pow", [difference, Scalar(graph, 2)]));
        Value deviation = Standard(graph, "Sqrt", [Standard(graph, "Add", [variance, Scalar(graph, 1e-6f)])]);
        Value scaled = Standard(graph, "Mul", [Floats(graph, channels, 1, 1), Standard(graph, "Div", [difference, deviation])]);
        return Standard(graph, "Add", [scaled, Floats(graph, channels, 1, 1)]);
    }

    private Value Normalized(Graph graph, Value x) =>
        Standard(graph, "LayerNormalization", [x, Floats(graph, channels), Floats(graph, channels)], NodeAttribute.Of("epsilon", 1e-6f));

    private static Value Mean(Graph graph, Value x) => Standard(graph, "ReduceMean", [x, Ints(graph, 1)]);
}
