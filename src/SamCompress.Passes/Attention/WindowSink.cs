using SamCompress.IR;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Attention;

/// <summary>
/// Moves the cut into windows behind the Linear, and the way back before the projection, so that both run on the map without its padding and one Transpose
/// each does the work of two: projection(attention(Linear(windows(pad(x))))) => projection(crop(map(attention(windows(pad(Linear(x))))))).
/// </summary>
/// <remarks>
/// Exact up to rounding. What the Linear makes of a padded row is a constant c. It is taken away from all keys, which a Softmax does not see, and from all values,
/// whose weights sum to 1, so that it can be added behind the projection: then padded rows are zero. Queries of padded rows are cropped.
/// </remarks>
internal static class WindowSink
{
    /// <summary>The Linear on the map, padded with zeros behind it: [1, padded height, padded width, 3 * width].</summary>
    /// <param name="constant">What the values lack, for each channel of the projection's input; null for nothing.</param>
    public static Value Rows(GraphBuilder graph, SelfAttention attention, WindowPartition window, out float[]? constant)
    {
        Value input = window.Map;
        float[]? padded = null;
        if (window.Normalization is { } norm)
        {
            input = graph.Op("LayerNormalization", [input, .. norm.Inputs.Skip(1)], norm.Attributes);
            padded = norm.Input(2)?.Constant!.ToArray<float>();
        }

        constant = null;
        float[]? bias = attention.Layer.Bias is null ? null : LayerEdit.BiasOf(attention.Layer);
        if (window.IsPadded && (bias is not null || padded is not null))
        {
            bias ??= new float[attention.Layer.OutputChannels];
            double[] ofPadding = padded is null ? new double[bias.Length] : LayerEdit.Response(attention.Layer, padded);
            for (int i = 0; i < bias.Length; i++)
                ofPadding[i] += bias[i];
            foreach (int column in attention.Block.QueryKey!.Key.Columns.AddRange(attention.Block.Value!.Value.Columns))
                bias[column] = (float)(bias[column] - ofPadding[column]);
            constant = [.. attention.Block.Value!.Value.Columns.Select(c => (float)ofPadding[c])];
        }

        Value rows = graph.MatMul(input, attention.Layer.Node.Input(1)!);
        graph.Nodes[^1].Name = attention.Layer.Node.Name;
        if (bias is not null)
            rows = graph.Add(rows, graph.Constant(Tensor.Of(bias, bias.Length), attention.Layer.WeightName + "_bias"));
        return window.IsPadded ? graph.Op("Pad", [rows, graph.Vector(0, 0, 0, 0, 0, window.PaddedHeight - window.Height, window.PaddedWidth - window.Width, 0)]) : rows;
    }

    /// <summary>The projection of a padded map, cropped before: what takes the place of <see cref="WindowPartition.Result"/>.</summary>
    public static Value Project(GraphBuilder graph, SelfAttention attention, WindowPartition window, Value context, float[]? constant)
    {
        if (window.IsPadded)
            context = graph.Op("Slice", [context, graph.Vector(0, 0), graph.Vector(window.Height, window.Width), graph.Vector(1, 2)]);
        float[]? bias = attention.Projection.Bias is null ? null : LayerEdit.BiasOf(attention.Projection);
        if (constant is not null)
        {
            double[] behind = LayerEdit.Response(attention.Projection, constant);
            bias = [.. behind.Select((b, i) => (float)(b + (bias?[i] ?? 0)))];
        }

        Value result = graph.MatMul(context, attention.Projection.Node.Input(1)!);
        graph.Nodes[^1].Name = attention.Projection.Node.Name;
        return bias is null ? result : graph.Add(result, graph.Constant(Tensor.Of(bias, bias.Length), attention.Projection.WeightName + "_bias"));
    }

    /// <summary>Why the cut into windows stays where it is, or null.</summary>
    public static string? Refusal(SelfAttention attention) =>
        attention.Window is null ? "there is no cut into windows"
        : !attention.Layer.Node.Is("MatMul") || !attention.Projection.Node.Is("MatMul") ? "a layer is no MatMul"
        : LayerEdit.Refusal(attention.Layer) ?? LayerEdit.Refusal(attention.Projection);
}
