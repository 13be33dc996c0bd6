using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Attention;

/// <summary>
/// Lets neighbours on the map mix behind a rewritten attention: o => DW(o) + DW'(v), o the heads side by side, v the values, DW and DW' depthwise convolutions of one
/// kernel for each channel.
/// </summary>
/// <remarks>
/// DW begins as the identity and DW' as zero, so that the result is o until they are trained. What a rewrite takes away is local: a dilated phase has no neighbours,
/// and what one of them gathered from another phase is what DW reads; linear attention cannot look at one place, and DW' does. Sources: smoothed dilated convolutions (Wang
/// and Ji, arXiv 1808.08931) for the first, the depthwise convolution of values of FLatten Transformer (arXiv 2308.00442) for the second. Guards: tokens in the order
/// of the rows of a map with known sides; a kernel with a middle.
/// </remarks>
internal static class LocalMixing
{
    /// <summary>Why neighbours cannot mix behind the attention, or null.</summary>
    public static string? Refusal(SelfAttention attention, int side) =>
        side < 3 || side % 2 == 0 ? "a local kernel must have an odd side of at least 3"
            : attention.Map is null || !attention.IsGlobal || !attention.Order.IsRowOrder ? "its tokens are no map with known sides"
            : null;

    /// <param name="heads">What the projection would read.</param>
    /// <param name="side">Of the kernels, odd.</param>
    /// <returns>Of the same shape.</returns>
    public static Value Write(GraphBuilder graph, SelfAttention attention, Value heads, int side)
    {
        long channels = (long)attention.Heads * attention.HeadSize;
        (long height, long width) = attention.Map!.Value;
        Value values = new AttentionWriter(graph, attention, attention.Layer.Output, attention.Order, new NoPosition()).Values();
        Value both = graph.Concat([graph.Reshape(heads, 1, height, width, channels), graph.Reshape(values, 1, height, width, channels)], -1);
        Value kernels = graph.Constant(Tensor.Of(Kernels(channels, side), 2 * channels, 1, side, side), attention.Projection.WeightName + "_local");
        Value convolved = graph.DepthwiseConvolution(graph.Transpose(both, 0, 3, 1, 2), kernels);
        Value sum = graph.Op("ReduceSum", [graph.Reshape(convolved, 2, channels, height * width), graph.Vector(0)], [NodeAttribute.Of("keepdims", 0L)]);
        return graph.Reshape(graph.Transpose(sum, 1, 0), heads.Shape!.ToStatic()!);
    }

    /// <summary>Of heads the identity, of values zero.</summary>
    private static float[] Kernels(long channels, int side)
    {
        var kernels = new float[2 * channels * side * side];
        for (int i = side * side / 2; i < kernels.Length / 2; i += side * side)
            kernels[i] = 1;
        return kernels;
    }
}
