using SamCompress.IR;

namespace SamCompress.Benchmarks;

/// <summary>The ways to write a quantized convolution, with and without a quantized output.</summary>
/// <param name="kernel">Kernel size; the convolution pads to keep the size of the map.</param>
internal sealed class ConvForms(string name, int inputs, int outputs, int size, int kernel, int groups = 1) : OperatorForms
{
    private readonly long _inputsOfGroup = inputs / groups;

    public override string Name => $"conv-{name}";

    public override string Question => $"which form of a {kernel}x{kernel} convolution {inputs}->{outputs}, {groups} groups, at {size}x{size} is fast?";

    protected override IReadOnlyList<long[]> InputShapes => [[1, inputs, size, size]];

    protected override IEnumerable<(string Name, Func<Graph, IReadOnlyList<Value>, Value> Build)> Forms =>
    [
        ("float", (g, x) => Conv(g, x[0], Floats(g, Weight), Floats(g, outputs))),
        ("QDQ, output QDQ (QLinearConv)", (g, x) => ThroughBytes(g, QuantizedConv(g, x[0]))),
        ("QDQ, output dequantized with a scale for each channel", (g, x) => OutputOfChannels(g, QuantizedConv(g, x[0]))),
        ("QDQ, output multiplied with a scale for each channel", (g, x) => Standard(g, "Mul", [OutputOfChannels(g, QuantizedConv(g, x[0])), Scales(g, outputs, 1, 1)])),
        ("QDQ, float output", (g, x) => Conv(g, ThroughBytes(g, x[0]), Dequantized(g, 0, Weight), Floats(g, outputs))),
        ("ConvInteger, s8 weight", (g, x) => ConvInteger(g, x[0], Bytes(g, Weight), null)),
        ("ConvInteger, u8 weight", (g, x) => ConvInteger(g, x[0], Constant(g, "w", Tensor.FromBytes(ElementType.UInt8, Weight, new byte[Weight.Aggregate(1L, (a, b) => a * b)])), Byte(g, 128))),
        .. groups == 1 ? [("patches of bytes, MatMulIntegerToFloat", Patches)] : Array.Empty<(string, Func<Graph, IReadOnlyList<Value>, Value>)>(),
    ];

    private long[] Weight => [outputs, _inputsOfGroup, kernel, kernel];

    private NodeAttribute[] Attributes =>
        [NodeAttribute.Of("group", groups), NodeAttribute.Of("kernel_shape", [kernel, kernel]), NodeAttribute.Of("pads", Enumerable.Repeat((long)(kernel / 2), 4))];

    private Value Conv(Graph graph, Value x, Value weight, Value bias) => Standard(graph, "Conv", [x, weight, bias], Attributes);

    private Value QuantizedConv(Graph graph, Value x) => Conv(graph, ThroughBytes(graph, x), Dequantized(graph, 0, Weight), Bias(graph));

    private Value Bias(Graph graph)
    {
        Value bias = Constant(graph, "bias", Tensor.Of<int>(ElementType.Int32, new int[outputs], [outputs]));
        Value zeros = Constant(graph, "zeros", Tensor.Of<int>(ElementType.Int32, new int[outputs], [outputs]));
        return Standard(graph, "DequantizeLinear", [bias, Constant(graph, "scales", Tensor.Of([.. Enumerable.Repeat(8f / 255 / 30, outputs)], outputs)), zeros], NodeAttribute.Of("axis", 0));
    }

    /// <summary>Quantized with scale 1, dequantized with a scale and zero point for each channel, which weights and bias took in.</summary>
    private Value OutputOfChannels(Graph graph, Value y)
    {
        (Value bytes, _, _) = Quantized(graph, y, 1);
        Value zeros = Constant(graph, "zeros", Tensor.FromBytes(ElementType.UInt8, [outputs], new byte[outputs]));
        return Standard(graph, "DequantizeLinear", [bytes, Scales(graph, outputs), zeros], NodeAttribute.Of("axis", 1));
    }

    private Value ConvInteger(Graph graph, Value x, Value weight, Value? weightZero)
    {
        (Value bytes, _, Value zero) = Quantized(graph, x);
        Value sum = Standard(graph, "ConvInteger", [bytes, weight, zero, .. weightZero is null ? [] : new[] { weightZero }], Attributes);
        Value scaled = Standard(graph, "Mul", [Standard(graph, "Cast", [sum], NodeAttribute.Of("to", (long)ElementType.Float)), Scales(graph, outputs, 1, 1)]);
        return Standard(graph, "Add", [scaled, Floats(graph, outputs, 1, 1)]);
    }

    /// <summary>The bytes, channels last, padded with what stands for zero, as one row for each position of the kernel.</summary>
    private Value Patches(Graph graph, IReadOnlyList<Value> x)
    {
        (Value bytes, Value scale, Value zero) = Quantized(graph, x[0]);
        Value rows = Standard(graph, "Transpose", [bytes], NodeAttribute.Of("perm", [0, 2, 3, 1]));
        int around = kernel / 2;
        if (around > 0)
        {
            Value padded = Standard(graph, "Pad", [rows, Ints(graph, 0, around, around, 0, 0, around, around, 0), zero]);
            rows = Standard(graph, "Concat", [.. from dy in Enumerable.Range(0, kernel) from dx in Enumerable.Range(0, kernel)
                select Standard(graph, "Slice", [padded, Ints(graph, dy, dx), Ints(graph, dy + size, dx + size), Ints(graph, 1, 2)])], NodeAttribute.Of("axis", 3));
        }

        Value product = Contributed(graph, "MatMulIntegerToFloat", [rows, Bytes(graph, inputs * kernel * kernel, outputs), scale, Scales(graph, outputs), zero, null, Floats(graph, outputs)]);
        return Standard(graph, "Transpose", [product], NodeAttribute.Of("perm", [0, 3, 1, 2]));
    }
}
