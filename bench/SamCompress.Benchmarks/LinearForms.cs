using SamCompress.IR;

namespace SamCompress.Benchmarks;

/// <summary>The ways to write a quantized Linear layer of SAM ViT-B, and what ONNX Runtime makes of each.</summary>
internal sealed class LinearForms(string name, int rows, int inner, int columns) : OperatorForms
{
    public override string Name => name;

    public override string Question => $"which form of a {rows}x{inner} by {inner}x{columns} layer with bias is fast?";

    protected override IReadOnlyList<long[]> InputShapes => [[rows, inner]];

    protected override IEnumerable<(string Name, Func<Graph, IReadOnlyList<Value>, Value> Build)> Forms =>
    [
        ("float", (g, x) => AddBias(g, MatMul(g, x[0], Floats(g, inner, columns)), columns)),
        ("QDQ, bias [N]", (g, x) => AddBias(g, MatMul(g, ThroughBytes(g, x[0]), Weight(g)), columns)),
        ("QDQ, bias [1,N]", (g, x) => AddBias(g, MatMul(g, ThroughBytes(g, x[0]), Weight(g)), 1, columns)),
        ("QDQ, bias [1,1,N]", (g, x) => AddBias(g, MatMul(g, ThroughBytes(g, x[0]), Weight(g)), 1, 1, columns)),
        ("QDQ, output QDQ", (g, x) => ThroughBytes(g, AddBias(g, MatMul(g, ThroughBytes(g, x[0]), Weight(g)), columns))),
        ("MatMulIntegerToFloat", (g, x) => IntegerToFloat(g, x[0], 8f / 255, 128, Floats(g, columns))),
        ("MatMulIntegerToFloat, clipped to 6 bits", (g, x) => IntegerToFloat(g, Clip(g, x[0], -4, 4), 8f / 63, 32, Floats(g, columns))),
        ("twin: two MatMulIntegerToFloat and Add", Twin),
        ("DynamicQuantizeMatMul", (g, x) => Contributed(g, "DynamicQuantizeMatMul", [x[0], Bytes(g, inner, columns), Scales(g, columns), null, Floats(g, columns)])),
        ("weight only, QDQ int8", (g, x) => AddBias(g, MatMul(g, x[0], Weight(g)), columns)),
        ("MatMulNBits 8 bits, accuracy level 4", (g, x) => FewBits(g, x[0], 8, 4)),
        ("MatMulNBits 4 bits, accuracy level 4", (g, x) => FewBits(g, x[0], 4, 4)),
        ("MatMulNBits 4 bits, accuracy level 0", (g, x) => FewBits(g, x[0], 4, 0)),
        ("DequantizeLinear of int4 blocks", (g, x) => AddBias(g, MatMul(g, x[0], Int4Blocks(g)), columns)),
    ];

    private static Value MatMul(Graph graph, Value left, Value right) => Standard(graph, "MatMul", [left, right]);

    private static Value AddBias(Graph graph, Value product, params long[] dimensions) => Standard(graph, "Add", [product, Floats(graph, dimensions)]);

    private static Value Clip(Graph graph, Value x, float min, float max) => Standard(graph, "Clip", [x, Scalar(graph, min), Scalar(graph, max)]);

    private Value Weight(Graph graph) => Dequantized(graph, 1, inner, columns);

    private Value IntegerToFloat(Graph graph, Value x, float scale, byte zero, Value? bias)
    {
        (Value bytes, Value scaleValue, Value zeroValue) = Quantized(graph, x, scale, zero);
        return Contributed(graph, "MatMulIntegerToFloat", [bytes, Bytes(graph, inner, columns), scaleValue, Scales(graph, columns), zeroValue, null, bias]);
    }

    /// <summary>Values under zero and those over it have their own scale; saturation keeps each out of the other's product.</summary>
    private Value Twin(Graph graph, IReadOnlyList<Value> x) => Standard(
        graph, "Add", [IntegerToFloat(graph, x[0], 4f / 255, 0, Floats(graph, columns)), IntegerToFloat(graph, x[0], 0.17f / 255, 255, null)]);

    private Value FewBits(Graph graph, Value x, int bits, int accuracyLevel)
    {
        const int Block = 32;
        long[] dimensions = [columns, inner / Block, Block * bits / 8];
        var bytes = new byte[dimensions.Aggregate(1L, (a, b) => a * b)];
        new Random(1).NextBytes(bytes);
        return Contributed(
            graph, "MatMulNBits", [x, Constant(graph, "weight", Tensor.FromBytes(ElementType.UInt8, dimensions, bytes)), Scales(graph, columns, inner / Block), null, null, Floats(graph, columns)],
            NodeAttribute.Of("K", inner), NodeAttribute.Of("N", columns), NodeAttribute.Of("bits", bits), NodeAttribute.Of("block_size", Block), NodeAttribute.Of("accuracy_level", accuracyLevel));
    }

    private Value Int4Blocks(Graph graph)
    {
        var bytes = new byte[inner * columns / 2];
        new Random(1).NextBytes(bytes);
        return Standard(
            graph, "DequantizeLinear", [Constant(graph, "weight", Tensor.FromBytes(ElementType.Int4, [inner, columns], bytes)), Scales(graph, inner / 32, columns)],
            NodeAttribute.Of("axis", 0), NodeAttribute.Of("block_size", 32));
    }
}
