using SamCompress.IR;
using SamCompress.Passes.Quantization.Emission;

namespace SamCompress.Passes.Quantization;

/// <summary>
/// Applies a <see cref="QuantizationPlan"/>: each layer in the form that the plan gives it.
/// <code>
/// Linear, Q/DQ:     MatMul(x, W) + b   =>  MatMul(DQ(Q(x)), DQ(W8)) + b[1,1,N]              ONNX Runtime: MatMulIntegerToFloat
///                   of a matrix x      =>  the same between Unsqueeze and Squeeze
///         integer:  MatMul(x, W) + b   =>  MatMulIntegerToFloat(Q(x), W8, scales, zero point, b)
///         4 bits:   MatMul(x, W) + b   =>  MatMulNBits(x, W4, scales, b), or MatMul(x, DQ(W4, block)) + b
/// Conv, Q/DQ:       Conv(x, W, b)      =>  DQ(Q(Conv(DQ(Q(x)), DQ(W8), DQ(b32))))           ONNX Runtime: QLinearConv
///         channels: Conv(x, W, b)      =>  DQ(Q(Conv(DQ(Q(x)), DQ(W8 / s), DQ(b32)))) * s   the same, a scale s for each channel
///         integer:  Conv(x, W, b)      =>  Cast(ConvInteger(Q(x), W8)) * scales + b
/// weight only:                             the weight alone is DQ(W8)
/// attention:        MatMul(q, k)       =>  MatMul(DQ(Q(q)), DQ(Q(k))), or MatMulIntegerToFloat(Q(q), Q(k))
/// two ranges:       MatMul(x, W) + b   =>  the sum of two of the products above
/// </code>
/// A bias of rank 3 keeps ONNX Runtime from fusing MatMul and Add to a float Gemm. Approximate: that is what quantization is.
/// An activation that several layers read is quantized once. Weights are quantized when they are written, so that no copy of them stays in memory.
/// </summary>
public sealed class QuantizePass(QuantizationPlan plan) : Pass
{
    /// <summary>The prefix of the metadata entries that the pass leaves in the model.</summary>
    public const string MetadataPrefix = "dev.samcompress.";

    /// <summary>The first opset with 4-bit types and with scales of blocks.</summary>
    public const long BlocksOpset = 21;

    /// <summary>The first version of the file format with 4-bit types.</summary>
    private const long NibblesIrVersion = 10;

    /// <exception cref="SamCompressException">The opset of the model lacks what the plan needs.</exception>
    public override void Require(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Opset() < BlocksOpset && plan.Layers.FirstOrDefault(NeedsStandardNibbles) is { } layer)
        {
            throw new SamCompressException(
                FailureKind.Unsupported,
                $"'{layer.Name}' cannot have a 4-bit weight: opset {model.Opset()} has no 4-bit types, opset {BlocksOpset} has",
                $"export the model with opset {BlocksOpset} or later, or choose a target with MatMulNBits (ort-cpu)");
        }
    }

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = Emit(model, context);
        foreach (Diagnostic diagnostic in plan.Diagnostics)
            context.Report(diagnostic);
        if (changes == 0)
            return 0;
        model.Graph.RemoveUnusedInitializers();
        if (model.Graph.Nodes.Any(n => n.Domain == OperatorDomain.Microsoft))
            model.ImportOpset(OperatorDomain.Microsoft, 1);
        if (plan.Layers.Any(NeedsStandardNibbles))
            model.IrVersion = Math.Max(model.IrVersion, NibblesIrVersion);
        model.SetMetadata(MetadataPrefix + "target", plan.Target);
        model.SetMetadata(MetadataPrefix + "precision", plan.Precision);
        return changes;
    }

    private int Emit(Model model, PassContext context)
    {
        Graph graph = model.Graph;
        Dictionary<string, QuantizableLayer> layers = LayerFinder.Find(graph).ToDictionary(l => l.Node.Output.Name, StringComparer.Ordinal);
        var editor = new GraphEditor(graph);
        var activations = new ActivationEmitter(editor, plan.Activations);
        var weights = new WeightEmitter(editor);
        var linears = new LinearEmitter(editor, activations, weights);
        var convolutions = new ConvEmitter(editor, activations, weights);
        var attention = new AttentionEmitter(editor, activations);
        int changes = 0;
        foreach ((Node node, LayerPlan layerPlan) in InGraphOrder(graph))
        {
            QuantizableLayer? layer = layers.GetValueOrDefault(layerPlan.NodeOutput);
            if (!Fits(node, layer, layerPlan))
                throw DoesNotFit(layerPlan);
            if (!context.Step(node, $"quantize {layerPlan.Kind} {layerPlan.Execution}"))
                break;
            if (layerPlan.Kind == LayerKind.Linear)
                linears.Emit(layer!, layerPlan);
            else if (layerPlan.Kind == LayerKind.AttentionMatMul)
                attention.Emit(node, layerPlan);
            else
                convolutions.Emit(layer!, layerPlan);
            changes++;
        }

        activations.RemoveUnused();
        return changes;
    }

    /// <summary>What an earlier layer reads must be made before it, so the order of the plan does not count.</summary>
    private List<(Node Node, LayerPlan Plan)> InGraphOrder(Graph graph)
    {
        Dictionary<string, LayerPlan> quantized = plan.Layers.Where(l => l.Execution != LayerExecution.Float).ToDictionary(l => l.NodeOutput, StringComparer.Ordinal);
        var found = new List<(Node, LayerPlan)>();
        foreach (Node node in graph.Nodes)
        {
            if (node.Outputs is [{ } output, ..] && quantized.Remove(output.Name, out LayerPlan? layer))
                found.Add((node, layer));
        }

        return quantized.Count == 0 ? found : throw DoesNotFit(quantized.Values.First());
    }

    private static bool Fits(Node node, QuantizableLayer? layer, LayerPlan plan)
    {
        if (plan.Kind == LayerKind.AttentionMatMul)
            return plan.SecondInput is not null && node.Is("MatMul");
        if (layer is null || layer.Kind != plan.Kind || layer.WeightName != plan.WeightName)
            return false;
        int scales = plan.WeightBlock > 0 ? layer.OutputChannels * WeightCodes.BlocksOf(layer, plan) : (int)layer.Weight.Dimensions[layer.WeightAxis];
        return plan.WeightScales.Count == scales && (plan.WeightBlock == 0 || (plan.Kind == LayerKind.Linear && plan.WeightBlock % 2 == 0))
            && (plan.WeightCodes is not { } codes || codes.Length == layer.Weight.Count)
            && (plan.OutputGrids.Count == 0 || plan.OutputGrids.Count == layer.OutputChannels);
    }

    private static bool NeedsStandardNibbles(LayerPlan layer) => layer is { WeightBlock: > 0, Form: LayerForm.Qdq } && layer.Execution != LayerExecution.Float;

    private static SamCompressException DoesNotFit(LayerPlan layer) =>
        new(FailureKind.InputRejected, $"the quantization plan does not fit the model: no layer '{layer.Name}'");
}
