using SamCompress.IR;
using SamCompress.Runtime.Inference;

namespace SamCompress.Benchmarks;

/// <summary>Compares ways to write the same computation as a graph, each run by ONNX Runtime; the note names the kernels that it made of them.</summary>
internal abstract class OperatorForms : Benchmark
{
    /// <summary>The shapes of the float inputs, which all candidates share.</summary>
    protected abstract IReadOnlyList<long[]> InputShapes { get; }

    protected virtual int Rounds => 30;

    /// <summary>The forms, the one to compare with first.</summary>
    protected abstract IEnumerable<(string Name, Func<Graph, IReadOnlyList<Value>, Value> Build)> Forms { get; }

    public override IReadOnlyList<Measurement> Measure()
    {
        var open = new Stack<IDisposable>();
        try
        {
            var inputs = new Dictionary<string, RuntimeTensor>();
            for (int i = 0; i < InputShapes.Count; i++)
            {
                RuntimeTensor tensor = RuntimeTensor.Of(Normal(InputShapes[i].Aggregate(1L, (a, b) => a * b), seed: 100 + i), InputShapes[i]);
                open.Push(tensor);
                inputs.Add($"x{i}", tensor);
            }

            return Comparison.Measure([.. Forms.Select(f => Open(f.Name, f.Build, inputs, open))], Rounds);
        }
        finally
        {
            while (open.TryPop(out IDisposable? item))
                item.Dispose();
        }
    }

    private Candidate Open(string name, Func<Graph, IReadOnlyList<Value>, Value> build, Dictionary<string, RuntimeTensor> inputs, Stack<IDisposable> open)
    {
        var model = new Model(10, [new OpsetImport(OperatorDomain.Onnx, 21), new OpsetImport(OperatorDomain.Microsoft, 1)]);
        open.Push(model);
        Value[] values = [.. InputShapes.Select((shape, i) => model.Graph.AddInput($"x{i}", ElementType.Float, Shape.Of(shape)))];
        Value y = build(model.Graph, values);
        y.ElementType = ElementType.Float;
        model.Graph.AddOutput(y);
        OnnxSession session = OnnxSession.Open(model);
        open.Push(session);
        string kernels = string.Join(", ", KernelReport.Read(model).Counts.Select(c => $"{c.Count} {c.OpType}"));
        return new Candidate(name, () => session.Run(inputs).Dispose(), kernels);
    }

    protected static Value Standard(Graph graph, string opType, IReadOnlyList<Value?> inputs, params NodeAttribute[] attributes) =>
        graph.Append(opType, inputs, [graph.FreshName(opType)], attributes).Output;

    protected static Value Contributed(Graph graph, string opType, IReadOnlyList<Value?> inputs, params NodeAttribute[] attributes) =>
        graph.Append(opType, inputs, [graph.FreshName(opType)], attributes, OperatorDomain.Microsoft).Output;

    protected static Value Constant(Graph graph, string stem, Tensor tensor) => graph.AddInitializer(graph.FreshName(stem), tensor);

    protected static Value Floats(Graph graph, params long[] dimensions) =>
        Constant(graph, "floats", Tensor.Of(Normal(dimensions.Aggregate(1L, (a, b) => a * b), seed: 2), dimensions));

    protected static Value Ints(Graph graph, params long[] elements) => Constant(graph, "ints", Tensor.Vector(elements));

    protected static Value Scalar(Graph graph, float value) => Constant(graph, "scalar", Tensor.Scalar(value));

    protected static Value Byte(Graph graph, byte value) => Constant(graph, "byte", Tensor.FromBytes(ElementType.UInt8, [], [value]));

    /// <summary>A weight in signed bytes.</summary>
    protected static Value Bytes(Graph graph, params long[] dimensions)
    {
        float[] weight = Normal(dimensions.Aggregate(1L, (a, b) => a * b), seed: 2);
        return Constant(graph, "weight", Tensor.FromBytes(ElementType.Int8, dimensions, Array.ConvertAll(weight, w => (byte)(sbyte)Math.Clamp(MathF.Round(w * 30), -127, 127))));
    }

    protected static Value Scales(Graph graph, params long[] dimensions) =>
        Constant(graph, "scales", Tensor.Of([.. Enumerable.Repeat(1f / 30, (int)dimensions.Aggregate(1L, (a, b) => a * b))], dimensions));

    /// <summary>A weight in signed bytes, dequantized with a scale for each channel of an axis.</summary>
    protected static Value Dequantized(Graph graph, int axis, params long[] dimensions)
    {
        Value bytes = Bytes(graph, dimensions);
        Value zeros = Constant(graph, "zeros", Tensor.FromBytes(ElementType.Int8, [dimensions[axis]], new byte[dimensions[axis]]));
        return Standard(graph, "DequantizeLinear", [bytes, Scales(graph, dimensions[axis]), zeros], NodeAttribute.Of("axis", axis));
    }

    /// <summary>To unsigned bytes with one scale.</summary>
    protected static (Value Bytes, Value Scale, Value Zero) Quantized(Graph graph, Value value, float scale = 8f / 255, byte zero = 128)
    {
        Value scaleValue = Scalar(graph, scale), zeroValue = Byte(graph, zero);
        return (Standard(graph, "QuantizeLinear", [value, scaleValue, zeroValue]), scaleValue, zeroValue);
    }

    /// <summary>To unsigned bytes and back.</summary>
    protected static Value ThroughBytes(Graph graph, Value value, float scale = 8f / 255, byte zero = 128)
    {
        (Value bytes, Value scaleValue, Value zeroValue) = Quantized(graph, value, scale, zero);
        return Standard(graph, "DequantizeLinear", [bytes, scaleValue, zeroValue]);
    }

    protected static float[] Normal(long count, int seed)
    {
        var random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }
}
