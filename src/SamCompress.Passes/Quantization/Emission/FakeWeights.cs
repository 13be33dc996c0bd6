using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Quantization.Emission;

/// <summary>Rounds weights to their integers and back, in the graph, each once however many layers read it.</summary>
internal sealed class FakeWeights(Model model)
{
    private const string Axis = "axis";

    private readonly HashSet<string> _done = new(StringComparer.Ordinal);

    /// <summary>Lets all who read the weight of a layer read its rounded form.</summary>
    public void Quantize(QuantizableLayer layer, LayerPlan plan)
    {
        Value? weight = model.Graph.Initializers.FirstOrDefault(i => i.Name == layer.WeightName);
        if (weight is null || !_done.Add(layer.WeightName))
            return;
        Use[] readers = [.. weight.Uses];
        var graph = new GraphBuilder(model, model.Graph.Nodes.First!, layer.WeightName);
        Value rounded = plan.WeightBlock > 0 ? OfBlocks(graph, weight, layer, plan) : Rounded(graph, weight, layer.WeightAxis, plan);
        foreach (Use reader in readers)
            reader.Node.ReplaceInput(reader.InputIndex, rounded);
    }

    /// <summary>The blocks of a Linear as rows of a matrix, each with its scale: those of one output after another.</summary>
    private static Value OfBlocks(GraphBuilder graph, Value weight, QuantizableLayer layer, LayerPlan plan)
    {
        long inputs = layer.InputChannels, outputs = layer.OutputChannels, blocks = plan.WeightScales.Count / outputs, padded = blocks * plan.WeightBlock;
        bool isTransposed = layer.WeightAxis == 1;
        Value rows = isTransposed ? graph.Transpose(weight, 1, 0) : weight;
        if (padded > inputs)
            rows = graph.Op("Pad", [rows, graph.Vector(0, 0, 0, padded - inputs)]);
        Value rounded = graph.Reshape(Rounded(graph, graph.Reshape(rows, outputs * blocks, plan.WeightBlock), 0, plan), outputs, padded);
        if (padded > inputs)
            rounded = graph.Slice(rounded, 1, 0, inputs);
        return isTransposed ? graph.Transpose(rounded, 1, 0) : rounded;
    }

    /// <summary>With a scale for each position along an axis; cut at the bounds of the plan where those of the type do not do it.</summary>
    private static Value Rounded(GraphBuilder graph, Value weight, int axis, LayerPlan plan)
    {
        float[] scales = [.. plan.WeightScales];
        if (plan.WeightHighest < sbyte.MaxValue)
        {
            long[] along = [.. Enumerable.Range(0, weight.Shape!.Rank).Select(a => a == axis ? scales.Length : 1L)];
            Value most = graph.Constant(Tensor.Of(Array.ConvertAll(scales, s => s * plan.WeightHighest), along));
            Value least = graph.Constant(Tensor.Of(Array.ConvertAll(scales, s => -s * plan.WeightHighest), along));
            weight = graph.Op("Max", [graph.Op("Min", [weight, most]), least]);
        }

        Value scale = graph.Constant(Tensor.Of(scales, scales.Length)), zero = graph.Constant(Tensor.FromBytes(ElementType.Int8, [scales.Length], new byte[scales.Length]));
        Value integers = graph.Op("QuantizeLinear", [weight, scale, zero], [NodeAttribute.Of(Axis, (long)axis)]);
        return graph.Op("DequantizeLinear", [integers, scale, zero], [NodeAttribute.Of(Axis, (long)axis)]);
    }
}
