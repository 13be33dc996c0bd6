using SamCompress.IR;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Repair;

/// <summary>Sees a layer as y = x W + b over rows of channels: a Linear, or a convolution with one position and one group.</summary>
public static class RepairableLayer
{
    /// <summary>Why the layer is no such map, or null.</summary>
    public static string? Refusal(QuantizableLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (layer.Kind == LayerKind.Linear)
            return null;
        if (layer.Kind != LayerKind.Conv || layer.Groups != 1 || layer.Weight.Count != (long)layer.InputChannels * layer.OutputChannels)
            return "it is no Linear and no pointwise convolution";
        bool isPlain = (layer.Node.GetInts("strides") ?? []).All(s => s == 1) && (layer.Node.GetInts("pads") ?? []).All(p => p == 0)
            && layer.Node.GetString("auto_pad", "NOTSET") is "NOTSET" or "VALID";
        return isPlain ? null : "it is a convolution that strides or pads";
    }

    /// <summary>The layer as it is now.</summary>
    public static AffineMap MapOf(QuantizableLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        float[] weight = layer.Weight.ToArray<float>();
        if (!InputsFirst(layer))
            weight = Transposed(weight, layer.OutputChannels, layer.InputChannels);
        return new AffineMap(weight, layer.Bias?.ToArray<float>() ?? new float[layer.OutputChannels]);
    }

    /// <summary>Whether the weight that the node itself reads is [inputs, outputs]. That of a MatMul is, whatever is stored.</summary>
    private static bool InputsFirst(QuantizableLayer layer) => layer.Kind == LayerKind.Linear && layer.WeightAxis == 1;

    /// <summary>Gives the layer a new weight and bias. A shared weight stays what it is for its other readers.</summary>
    internal static void Write(Model model, QuantizableLayer layer, AffineMap map)
    {
        Node node = layer.Node;
        bool inputsFirst = InputsFirst(layer) || node.Is("MatMul");
        float[] weight = inputsFirst ? map.Weight : Transposed(map.Weight, layer.InputChannels, layer.OutputChannels);
        long[] shape = layer.Kind == LayerKind.Conv ? [.. layer.Weight.Dimensions]
            : inputsFirst ? [layer.InputChannels, layer.OutputChannels]
            : [layer.OutputChannels, layer.InputChannels];
        Set(node, 1, Tensor.Of(weight, shape), layer.WeightName);
        WriteBias(model, layer, map.Bias);
    }

    private static void WriteBias(Model model, QuantizableLayer layer, float[] bias)
    {
        Node node = layer.Node;
        if (layer.Bias is not null)
        {
            (Node reader, int input) = layer.BiasAdd is { } add ? (add, add.Input(0) == node.Output ? 1 : 0) : (node, 2);
            Set(reader, input, Tensor.Of(bias, layer.Bias.Dimensions.AsSpan()), reader.Input(input)!.Name);
            return;
        }

        Graph graph = model.Graph;
        Value value = graph.AddInitializer(graph.FreshName(layer.WeightName + "_bias"), Tensor.Of(bias, bias.Length));
        if (!node.Is("MatMul"))
        {
            node.ResizeInputs(3);
            node.ReplaceInput(2, value);
            return;
        }

        Value product = node.Output;
        Value sum = graph.InsertBefore(node.Next, "Add", [product, value], [graph.FreshName(product.Name + "_biased")]).Output;
        sum.ElementType = product.ElementType;
        sum.Shape = product.Shape;
        graph.Substitute(product, sum);
        sum.Producer!.ReplaceInput(0, product);
    }

    private static void Set(Node node, int input, Tensor tensor, string stem)
    {
        if (node.Input(input)!.Constant is not null)
            LayerEdit.Replace(node, input, tensor, "_repaired");
        else
            node.ReplaceInput(input, node.Graph!.AddInitializer(node.Graph.FreshName(stem + "_repaired"), tensor));
    }

    private static float[] Transposed(float[] elements, int rows, int columns)
    {
        var result = new float[elements.Length];
        WeightQuantizer.Transpose<float>(elements, rows, columns, result);
        return result;
    }
}
