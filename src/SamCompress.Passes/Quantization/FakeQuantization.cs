using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Quantization.Emission;

namespace SamCompress.Passes.Quantization;

/// <summary>
/// Puts fake quantizers into a float model: what a <see cref="QuantizationPlan"/> makes integers is rounded to them and back, and all of it stays float, so that weights can be trained that
/// bear the rounding. Gradients go straight through (QuantizeLinear and DequantizeLinear have such rules), and end where a value saturates.
/// <code>
/// MatMul(x, W) + b  =>  MatMul(DQ(Q(x)), DQ(Q(clip(W)))) + b
/// Conv(x, W, b)     =>  DQ(Q(Conv(DQ(Q(x)), DQ(Q(clip(W))), b))), where the plan quantizes its output
/// MatMul(q, k)      =>  MatMul(DQ(Q(q)), DQ(Q(k)))
/// </code>
/// Scales are those of the plan and stay. Unlike the artifact, weights go to the nearest integer also where the plan rounds them otherwise, and biases stay float.
/// </summary>
/// <remarks>Straight-through gradients: Y. Bengio et al., arXiv 1308.3432. Activations that the operator of the target quantizes itself (4-bit weights) stay float.</remarks>
public static class FakeQuantization
{
    /// <param name="model">The one that the plan was made of, not yet fused for a target. Its initializers keep their names.</param>
    /// <exception cref="SamCompressException">The plan does not fit the model, or gives an activation two ranges.</exception>
    public static void Insert(Model model, QuantizationPlan plan)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Activations.FirstOrDefault(a => a.Twin is not null) is { } twin)
            throw new SamCompressException(FailureKind.Unsupported, $"'{twin.Value}' has two ranges, which cannot be learned with");
        Graph graph = model.Graph;
        Dictionary<string, QuantizableLayer> layers = LayerFinder.Find(graph).ToDictionary(l => l.Node.Output.Name, StringComparer.Ordinal);
        Dictionary<string, Node> nodes = graph.Nodes.Where(n => n.Outputs is [not null, ..]).ToDictionary(n => n.Output.Name, StringComparer.Ordinal);
        var editor = new GraphEditor(graph);
        var activations = new ActivationEmitter(editor, plan.Activations);
        var weights = new FakeWeights(model);
        foreach (LayerPlan planned in plan.Layers.Where(l => l.Execution != LayerExecution.Float))
        {
            Node node = nodes.GetValueOrDefault(planned.NodeOutput) ?? throw new SamCompressException(FailureKind.InputRejected, $"the quantization plan does not fit the model: no layer '{planned.Name}'");
            if (planned.Execution == LayerExecution.Integer)
            {
                QuantizeInput(activations, node, 0, planned.Input);
                if (planned.SecondInput is { } second)
                    QuantizeInput(activations, node, 1, second);
                QuantizeOutput(editor, activations, node, planned);
            }

            if (layers.GetValueOrDefault(planned.NodeOutput) is { } layer && planned.WeightScales.Count > 0)
                weights.Quantize(layer, planned);
        }

        activations.RemoveUnused();
        ShapeInference.Infer(model);
    }

    private static void QuantizeInput(ActivationEmitter activations, Node node, int index, string value)
    {
        if (activations.Find(value) is not null)
            node.ReplaceInput(index, activations.Dequantized(value, node.Inputs[index]!, node));
    }

    private static void QuantizeOutput(GraphEditor editor, ActivationEmitter activations, Node node, LayerPlan plan)
    {
        if (plan.OutputGrids.Count > 0)
            QuantizeChannels(editor, node, plan.OutputGrids);
        else if (activations.Find(plan.NodeOutput) is { AtProducer: true } output)
            activations.QuantizeAtProducer(node, output);
    }

    /// <summary>Each channel by its own grid. Its scale is a Mul, because ONNX Runtime would fuse the convolution with a quantizer of several scales, and has no kernel for it.</summary>
    private static void QuantizeChannels(GraphEditor editor, Node node, IReadOnlyList<QuantizationGrid> grids)
    {
        Value old = node.Output;
        string stem = old.Name;
        Node? position = node.Next;
        (ElementType type, int middle) = grids[0].Lowest < 0 ? (ElementType.Int8, 0) : (ElementType.UInt8, (grids[0].Highest + 1) / 2);
        long[] along = [grids.Count, .. Enumerable.Repeat(1L, node.Inputs[1]!.Shape!.Rank - 2)];
        Value one = editor.Constant(stem + "_scale", Tensor.Scalar(1f)), zero = editor.Constant(stem + "_zero_point", Tensor.FromBytes(type, [], [unchecked((byte)middle)]));
        Value shift = OfChannels("_shift", g => g.ZeroPoint - middle);
        Value scaled = editor.Insert(position, "Mul", [old, OfChannels("_factor", g => 1 / g.Scale)], stem + "_scaled");
        Value shifted = editor.Insert(position, "Add", [scaled, shift], stem + "_shifted");
        Value integers = editor.Insert(position, "QuantizeLinear", [shifted, one, zero], stem + "_quantized");
        Value back = editor.Insert(position, "Sub", [editor.Insert(position, "DequantizeLinear", [integers, one, zero], stem + "_dequantized"), shift], stem + "_unshifted");
        Value result = editor.Insert(position, "Mul", [back, OfChannels("_step", g => g.Scale)], stem + "_rounded");
        (result.ElementType, result.Shape) = (old.ElementType, old.Shape);
        editor.Substitute(old, result);
        scaled.Producer!.ReplaceInput(0, old);

        Value OfChannels(string name, Func<QuantizationGrid, float> value) => editor.Constant(stem + name, Tensor.Of((float[])[.. grids.Select(value)], along));
    }
}
