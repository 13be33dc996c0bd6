using SamCompress.IR;

namespace SamCompress.Benchmarks;

/// <summary>Whether integers pay in the two products of attention, whose factors are both activations.</summary>
internal sealed class AttentionForms(string name, int batch, int tokens, int headSize) : OperatorForms
{
    public override string Name => $"attention-{name}";

    public override string Question => $"do integers pay in attention of {batch} x {tokens} tokens, head size {headSize}?";

    protected override IReadOnlyList<long[]> InputShapes => [[batch, tokens, headSize], [batch, headSize, tokens], [batch, tokens, headSize]];

    protected override IEnumerable<(string Name, Func<Graph, IReadOnlyList<Value>, Value> Build)> Forms =>
    [
        ("float", (g, x) => Product(g, Softmax(g, Product(g, x[0], x[1])), x[2])),
        ("QDQ, q k only", (g, x) => Product(g, Softmax(g, Product(g, ThroughBytes(g, x[0]), ThroughBytes(g, x[1]))), x[2])),
        ("QDQ, both", (g, x) => Product(g, ThroughBytes(g, Softmax(g, Product(g, ThroughBytes(g, x[0]), ThroughBytes(g, x[1]))), 1f / 255, 0), ThroughBytes(g, x[2]))),
        ("MatMulIntegerToFloat, q k only", (g, x) => Product(g, Softmax(g, Integers(g, x[0], x[1])), x[2])),
        ("MatMulIntegerToFloat, both", (g, x) => Integers(g, Softmax(g, Integers(g, x[0], x[1])), x[2], 1f / 255, 0)),
    ];

    private static Value Softmax(Graph graph, Value logits) => Standard(graph, "Softmax", [logits]);

    private static Value Product(Graph graph, Value left, Value right) => Standard(graph, "MatMul", [left, right]);

    private static Value Integers(Graph graph, Value left, Value right, float scale = 8f / 255, byte zero = 128)
    {
        (Value a, Value aScale, Value aZero) = Quantized(graph, left, scale, zero);
        (Value b, Value bScale, Value bZero) = Quantized(graph, right);
        return Contributed(graph, "MatMulIntegerToFloat", [a, b, aScale, bScale, aZero, bZero]);
    }
}
