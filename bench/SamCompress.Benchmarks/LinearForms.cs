using SamCompress.IR;
using SamCompress.Runtime.Inference;

namespace SamCompress.Benchmarks;

/// <summary>The ways to write a quantized Linear layer of SAM ViT-B, and what ONNX Runtime makes of each.</summary>
internal sealed class LinearForms : Benchmark
{
    private const int Rows = 4096;
    private const int Inner = 768;
    private const int Columns = 3072;

    public override string Name => "linear";

    public override string Question => $"which form of a {Rows}x{Inner} by {Inner}x{Columns} layer with bias is fast?";

    public override IReadOnlyList<Measurement> Measure()
    {
        float[] activations = Normal(Rows * Inner, seed: 1);
        using RuntimeTensor x = RuntimeTensor.Of(activations, Rows, Inner);
        var inputs = new Dictionary<string, RuntimeTensor> { ["x"] = x };
        var open = new List<IDisposable>();
        try
        {
            Candidate Of(string name, Func<Graph, Value, Value> build)
            {
                Model model = Build(build);
                open.Add(model);
                OnnxSession session = OnnxSession.Open(model);
                open.Insert(0, session);
                string kernels = string.Join(", ", KernelReport.Read(model).Counts.Select(c => $"{c.Count} {c.OpType}"));
                return new Candidate(name, () => session.Run(inputs).Dispose(), kernels);
            }

            return Comparison.Measure(
                [
                    Of("float", (g, input) => AddBias(g, MatMul(g, input, FloatWeight(g)), Columns)),
                    Of("QDQ, bias [N]", (g, input) => AddBias(g, MatMul(g, Quantized(g, input), QuantizedWeight(g)), Columns)),
                    Of("QDQ, bias [1,N]", (g, input) => AddBias(g, MatMul(g, Quantized(g, input), QuantizedWeight(g)), 1, Columns)),
                    Of("QDQ, bias [1,1,N]", (g, input) => AddBias(g, MatMul(g, Quantized(g, input), QuantizedWeight(g)), 1, 1, Columns)),
                    Of("QDQ, output QDQ", (g, input) => Quantized(g, AddBias(g, MatMul(g, Quantized(g, input), QuantizedWeight(g)), Columns))),
                    Of("MatMulIntegerToFloat", MatMulIntegerToFloat),
                    Of("DynamicQuantizeMatMul", DynamicQuantizeMatMul),
                ],
                rounds: 10);
        }
        finally
        {
            foreach (IDisposable item in open)
                item.Dispose();
        }
    }

    private static Model Build(Func<Graph, Value, Value> build)
    {
        var model = new Model(8, [new OpsetImport(OperatorDomain.Onnx, 17), new OpsetImport(OperatorDomain.Microsoft, 1)]);
        Value x = model.Graph.AddInput("x", ElementType.Float, Shape.Of(Rows, Inner));
        Value y = build(model.Graph, x);
        y.ElementType = ElementType.Float;
        model.Graph.AddOutput(y);
        return model;
    }

    private static Value MatMul(Graph graph, Value left, Value right) => graph.Append("MatMul", [left, right], [graph.FreshName("product")]).Output;

    private static Value AddBias(Graph graph, Value product, params long[] dimensions)
    {
        Value bias = graph.AddInitializer("bias", Tensor.Of(Normal(Columns, seed: 3), dimensions));
        return graph.Append("Add", [product, bias], [graph.FreshName("sum")]).Output;
    }

    private static Value FloatWeight(Graph graph) => graph.AddInitializer("weight", Tensor.Of(Normal(Inner * Columns, seed: 2), Inner, Columns));

    /// <summary>Through unsigned 8 bits and back, with one scale.</summary>
    private static Value Quantized(Graph graph, Value value)
    {
        (Value scale, Value zero) = ActivationScale(graph);
        Value bytes = graph.Append("QuantizeLinear", [value, scale, zero], [graph.FreshName("bytes")]).Output;
        return graph.Append("DequantizeLinear", [bytes, scale, zero], [graph.FreshName("back")]).Output;
    }

    private static Value QuantizedWeight(Graph graph)
    {
        (Value bytes, Value scales, Value zeros) = WeightBytes(graph);
        return graph.Append("DequantizeLinear", [bytes, scales, zeros], [graph.FreshName("weight")], [NodeAttribute.Of("axis", 1)]).Output;
    }

    private static Value MatMulIntegerToFloat(Graph graph, Value x)
    {
        (Value scale, Value zero) = ActivationScale(graph);
        (Value bytes, Value scales, Value zeros) = WeightBytes(graph);
        Value bias = graph.AddInitializer("bias", Tensor.Of(Normal(Columns, seed: 3), Columns));
        Value quantized = graph.Append("QuantizeLinear", [x, scale, zero], [graph.FreshName("bytes")]).Output;
        return graph.Append("MatMulIntegerToFloat", [quantized, bytes, scale, scales, zero, zeros, bias], ["y"], domain: OperatorDomain.Microsoft).Output;
    }

    private static Value DynamicQuantizeMatMul(Graph graph, Value x)
    {
        (Value bytes, Value scales, Value zeros) = WeightBytes(graph);
        Value bias = graph.AddInitializer("bias", Tensor.Of(Normal(Columns, seed: 3), Columns));
        return graph.Append("DynamicQuantizeMatMul", [x, bytes, scales, zeros, bias], ["y"], domain: OperatorDomain.Microsoft).Output;
    }

    private static (Value Scale, Value Zero) ActivationScale(Graph graph) =>
        (graph.AddInitializer(graph.FreshName("scale"), Tensor.Scalar(8f / 255)),
            graph.AddInitializer(graph.FreshName("zero"), Tensor.FromBytes(ElementType.UInt8, [], [128])));

    private static (Value Bytes, Value Scales, Value Zeros) WeightBytes(Graph graph)
    {
        float[] weight = Normal(Inner * Columns, seed: 2);
        byte[] bytes = Array.ConvertAll(weight, w => (byte)(sbyte)Math.Clamp(MathF.Round(w * 30), -127, 127));
        return (graph.AddInitializer("weight_bytes", Tensor.FromBytes(ElementType.Int8, [Inner, Columns], bytes)),
            graph.AddInitializer("weight_scales", Tensor.Of([.. Enumerable.Repeat(1f / 30, Columns)], Columns)),
            graph.AddInitializer("weight_zeros", Tensor.FromBytes(ElementType.Int8, [Columns], new byte[Columns])));
    }

    private static float[] Normal(int count, int seed)
    {
        var random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }
}
