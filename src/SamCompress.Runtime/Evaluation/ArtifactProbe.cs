using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Cleanup;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Evaluation;

/// <summary>The quantizers and quantized weights of a model, cut out with the multiplications that read them, each with an input of its own.</summary>
internal sealed class ArtifactProbe : IDisposable
{
    private readonly OnnxSession? _session;
    private readonly List<(string Input, long[] Shape, QuantizerNode? Quantizer)> _inputs = [];

    public ArtifactProbe(Model model, SessionSettings settings)
    {
        Graph graph = model.Graph;
        QuantizerNode[] quantizers = [.. QuantizedParts.Quantizers(graph).Select(q => q.Found).OfType<QuantizerNode>()];
        WeightNode[] weights = [.. QuantizedParts.Weights(graph)];
        Value[] old = [.. graph.Outputs];
        var outputs = new HashSet<Value>();
        foreach (QuantizerNode quantizer in quantizers)
            Cut(graph, quantizer, outputs);
        foreach (WeightNode weight in weights)
        {
            if (Cut(graph, weight, outputs))
                Weights.Add((weight, weight.Multiply.Output.Name));
        }

        Keep(model, outputs, old.Length);
        if (outputs.Count > 0)
            _session = OnnxSession.Open(model, settings);
    }

    public List<(QuantizerNode Quantizer, IReadOnlyList<string> Outputs)> Quantizers { get; } = [];

    public List<(WeightNode Weight, string Output)> Weights { get; } = [];

    /// <summary>Runs all parts.</summary>
    /// <param name="fill">The value of an element, by its number, that a quantizer gets.</param>
    /// <returns>The raw bytes of every output, by name.</returns>
    public Dictionary<string, byte[]> Run(Func<QuantizerNode, int, float> fill, CancellationToken cancellation)
    {
        if (_session is null)
            return [];
        Dictionary<string, RuntimeTensor> inputs = _inputs.ToDictionary(i => i.Input, i => Fill(i.Shape, i.Quantizer, fill), StringComparer.Ordinal);
        try
        {
            using RuntimeTensors results = _session.Run(inputs, cancellationToken: cancellation);
            return results.ToDictionary(r => r.Key, r => Bytes(r.Value), StringComparer.Ordinal);
        }
        finally
        {
            foreach (RuntimeTensor input in inputs.Values)
                input.Dispose();
        }
    }

    public void Dispose() => _session?.Dispose();

    private static byte[] Bytes(RuntimeTensor tensor)
    {
        using TensorLease lease = tensor.ToTensor().Open();
        return lease.Bytes.ToArray();
    }

    private static RuntimeTensor Fill(long[] shape, QuantizerNode? quantizer, Func<QuantizerNode, int, float> fill)
    {
        var elements = new float[shape.Aggregate(1L, (product, d) => product * d)];
        for (int i = 0; i < elements.Length; i++)
            elements[i] = quantizer is null ? (i * 5 % 7) - 3.5f : fill(quantizer, i);
        return RuntimeTensor.Of(elements, shape);
    }

    private void Cut(Graph graph, QuantizerNode quantizer, HashSet<Value> outputs)
    {
        const long elements = 16;
        (Node Reader, long[] Shape)[] readers = [.. quantizer.Readers.Select(r => (Reader: r, Shape: QuantizedParts.SmallInput(r)!)).Where(r => r.Shape is not null)];

        // A Gemm takes matrices only; what a MatMul takes it takes of any rank.
        long[] shape = readers.Length == 0 ? [1, elements] : readers.MinBy(r => r.Shape.Length).Shape;
        Value[] seen = [.. readers.Where(r => r.Shape[^1] == shape[^1] && (r.Shape.Length > 3) == (shape.Length > 3)).Select(r => r.Reader.Output).DefaultIfEmpty(quantizer.Result)];
        quantizer.Entry.ReplaceInput(0, NewInput(graph, shape, quantizer));
        outputs.UnionWith(seen);
        Quantizers.Add((quantizer, [.. seen.Select(v => v.Name)]));
    }

    /// <summary>Gives a weight's multiplication an input, unless a quantizer gives it one.</summary>
    private bool Cut(Graph graph, WeightNode weight, HashSet<Value> outputs)
    {
        Node node = weight.Multiply;
        if (outputs.Contains(node.Output))
            return true;
        if (QuantizedParts.SmallInput(node) is not { } shape)
            return false;
        int place = QuantizedParts.Operands(node)!.Value.Activation;
        Node entry = node.Input(place)?.Producer is { OpType: "DynamicQuantizeLinear" } dynamic ? dynamic : node;
        Value input = NewInput(graph, shape, quantizer: null);
        entry.ReplaceInput(entry == node ? place : 0, entry == node && ZeroPointOfIntegers(node) is { } zero ? Quantized(graph, node, input, zero) : input);
        return outputs.Add(node.Output);
    }

    /// <summary>The zero point of what a multiplication takes as integers, which may reach it through operators that move it; null for one of floats.</summary>
    private static Value? ZeroPointOfIntegers(Node multiply) => multiply.OpType switch
    {
        "MatMulIntegerToFloat" => multiply.Input(4),
        "MatMulInteger" or "ConvInteger" or "QLinearConv" or "QLinearMatMul" or "QGemm" => multiply.Input(2),
        _ => null,
    };

    private static Value Quantized(Graph graph, Node user, Value input, Value zeroPoint)
    {
        Value scale = graph.AddInitializer(graph.FreshName(input.Name + "_scale"), Tensor.Scalar(1f));
        return graph.InsertBefore(user, "QuantizeLinear", [input, scale, zeroPoint], [graph.FreshName(input.Name + "_quantized")]).Output;
    }

    private Value NewInput(Graph graph, long[] shape, QuantizerNode? quantizer)
    {
        Value input = graph.AddInput(graph.FreshName("samcompress_probe"), ElementType.Float, Shape.Of(shape));
        _inputs.Add((input.Name, shape, quantizer));
        return input;
    }

    /// <summary>Makes the wanted values the only outputs and drops what they do not need. Shapes of the whole model no longer hold.</summary>
    private static void Keep(Model model, HashSet<Value> outputs, int oldOutputs)
    {
        Graph graph = model.Graph;
        foreach (Value output in outputs)
            graph.AddOutput(output);
        for (int i = 0; i < oldOutputs; i++)
            graph.RemoveOutput(0);
        new EliminateDeadNodes().Apply(model, new PassContext());
        for (int i = graph.Inputs.Count - 1; i >= 0; i--)
        {
            if (!graph.Inputs[i].IsUsed)
                graph.RemoveInput(i);
        }

        graph.RemoveUnusedInitializers();
        foreach (Value value in graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>())
            value.Shape = null;
        foreach (Value output in graph.Outputs.Where(o => o.ElementType == ElementType.Undefined))
        {
            output.ElementType = output.Producer!.OpType switch
            {
                "MatMulInteger" or "ConvInteger" => ElementType.Int32,
                "QuantizeLinear" or "QLinearConv" or "QLinearMatMul" or "QGemm" => output.Producer.Input(output.Producer.Inputs.Count - 1)?.Constant?.ElementType ?? ElementType.UInt8,
                _ => ElementType.Float,
            };
        }
    }
}
