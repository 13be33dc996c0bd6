using System.Runtime.InteropServices;
using SamCompress.IR;
using SamCompress.Passes.Quantization;
using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Passes.Equalization;

/// <summary>
/// Multiplies channels of a layer's weight and moves its bias. New weights are computed when they are read. What other nodes read too is left as it is: the
/// layer then gets a constant of its own.
/// </summary>
internal static class LayerEdit
{
    /// <summary>Why weight or bias cannot be replaced, or null.</summary>
    public static string? Refusal(QuantizableLayer layer)
    {
        if (layer.Node.Input(1)?.Constant is null)
            return $"the weight of {layer.Name} is no initializer";
        return layer.Bias is not null && BiasPlace(layer).Node.Input(BiasPlace(layer).InputIndex)!.Constant is null ? $"the bias of {layer.Name} is no initializer" : null;
    }

    /// <summary>The weight as it is now: an edit before this one may have replaced that of the layer's record.</summary>
    public static Tensor WeightOf(QuantizableLayer layer) => layer.Node.Input(1)?.Constant ?? layer.Weight;

    /// <summary>The bias as it is now.</summary>
    public static float[] BiasOf(QuantizableLayer layer)
    {
        Use place = BiasPlace(layer);
        return place.Node.Input(place.InputIndex)!.Constant!.ToArray<float>();
    }

    /// <summary>Multiplies the weights of input channel k by factors[k].</summary>
    public static void ScaleInputs(QuantizableLayer layer, float[] factors)
    {
        var geometry = WeightGeometry.Of(layer);
        Replace(layer.Node, 1, Scaled(WeightOf(layer), geometry, geometry.InputOf, factors));
    }

    /// <summary>Multiplies the weights and the bias of output channel n by factors[n].</summary>
    public static void ScaleOutputs(QuantizableLayer layer, float[] factors)
    {
        var geometry = WeightGeometry.Of(layer);
        Replace(layer.Node, 1, Scaled(WeightOf(layer), geometry, geometry.OutputOf, factors));
        if (layer.Bias is not null)
            SetBias(layer, [.. BiasOf(layer).Zip(factors, (b, f) => b * f)]);
    }

    /// <summary>Adds to the bias. The layer must have one.</summary>
    public static void AddToBias(QuantizableLayer layer, double[] addends) => SetBias(layer, [.. BiasOf(layer).Zip(addends, (b, a) => (float)(b + a))]);

    /// <summary>What the layer makes of a constant input, without its bias: sum over input channels k of constant[k] * w[k, n] for each output n.</summary>
    public static double[] Response(QuantizableLayer layer, IReadOnlyList<float> constant)
    {
        var geometry = WeightGeometry.Of(layer);
        var result = new double[layer.OutputChannels];
        using TensorLease lease = WeightOf(layer).Open();
        ReadOnlySpan<float> weight = lease.As<float>();
        for (int a = 0, i = 0; a < geometry.First; a++)
        {
            for (int b = 0; b < geometry.Second; b++)
            {
                double sum = 0;
                for (int end = i + geometry.Inner; i < end; i++)
                    sum += weight[i];
                result[geometry.OutputOf(a, b)] += sum * constant[geometry.InputOf(a, b)];
            }
        }

        return result;
    }

    /// <summary>Lets one input of a node read another constant: the initializer itself changes when nothing else reads it.</summary>
    /// <param name="suffix">Ends the name of a constant of its own.</param>
    public static void Replace(Node node, int input, Tensor tensor, string suffix = "_equalized")
    {
        Value value = node.Input(input)!;
        Graph graph = node.Graph!;
        if (value.Graph == graph && value.Uses.Count == 1 && !value.IsGraphOutput && value.Constant is not null)
            graph.SetInitializer(value, tensor);
        else
            node.ReplaceInput(input, graph.AddInitializer(graph.FreshName(value.Name + suffix), tensor));
    }

    private static void SetBias(QuantizableLayer layer, float[] bias)
    {
        Use place = BiasPlace(layer);
        Replace(place.Node, place.InputIndex, Tensor.Of(bias, place.Node.Input(place.InputIndex)!.Constant!.Dimensions.AsSpan()));
    }

    private static Use BiasPlace(QuantizableLayer layer) => layer.BiasAdd is { } add ? new Use(add, add.Input(0) == layer.Node.Output ? 1 : 0) : new Use(layer.Node, 2);

    private static Tensor Scaled(Tensor weight, WeightGeometry geometry, Func<int, int, int> channelOf, float[] factors) =>
        Tensor.Lazy(ElementType.Float, weight.Dimensions.AsSpan(), bytes =>
        {
            using TensorLease lease = weight.Open();
            ReadOnlySpan<float> from = lease.As<float>();
            Span<float> to = MemoryMarshal.Cast<byte, float>(bytes);
            var row = new float[geometry.Second];
            for (int a = 0, i = 0; a < geometry.First; a++)
            {
                for (int b = 0; b < row.Length; b++)
                    row[b] = factors[channelOf(a, b)];
                if (geometry.Inner == 1)
                {
                    Tp.Multiply(from.Slice(i, row.Length), row, to.Slice(i, row.Length));
                    i += row.Length;
                    continue;
                }

                for (int b = 0; b < row.Length; b++, i += geometry.Inner)
                    Tp.Multiply(from.Slice(i, geometry.Inner), row[b], to.Slice(i, geometry.Inner));
            }
        });
}
