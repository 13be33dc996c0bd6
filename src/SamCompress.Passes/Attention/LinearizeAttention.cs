using SamCompress.IR;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Attention;

/// <summary>
/// ReLU linear attention in place of Softmax attention: softmax(scale * q.k^T + position).v => relu(q).(relu(k)^T.[v 1]), divided by its last column.
/// </summary>
/// <remarks>
/// No approximation of Softmax: it needs repair or distillation, and a gate. Linear in the tokens: 2 N d (d + 1) products in place of 2 N^2 d, no logits, and no
/// term for positions. EfficientViT-SAM, LiteMLA in its associative form; sums and division stay float. Guards: one map of tokens; with further heads a projection
/// that is a MatMul with a weight of its own, and tokens whose map is known.
/// </remarks>
/// <param name="epsilon">Added to the divisor, which is zero where no channel of a query meets a positive one of a key; 1e-15 in the source, raised so that halves of floats keep it.</param>
/// <param name="multiScale">
/// Adds LiteMLA's second scale: as many heads again, of query, key and value behind a depthwise convolution of 5 x 5. It begins as a local mean, and the rows of the
/// projection that read it as zero, so that the result is the same until something is fitted or trained. The source's mixing of channels behind the convolution
/// (1 x 1 within each head) would begin as the identity, and is left out.
/// </param>
/// <param name="localKernel">The side of the kernels by which neighbours mix behind it (docs/attention.md); null for none.</param>
public sealed class LinearizeAttention(AttentionSelection selection, float epsilon = 1e-6f, bool multiScale = false, int? localKernel = null) : AttentionRewrite(selection, localKernel)
{
    private const int KernelSide = 5;

    protected override string? Refusal(SelfAttention attention)
    {
        ArgumentNullException.ThrowIfNull(attention);
        return epsilon <= 0 ? "epsilon must be positive"
            : !attention.IsGlobal ? "it is cut into windows or phases already"
            : !multiScale ? null
            : attention.Map is null || !attention.Order.IsRowOrder ? "its tokens are no map with known sides"
            : !attention.Projection.Node.Is("MatMul") ? "its projection is no MatMul"
            : LayerEdit.Refusal(attention.Projection);
    }

    private protected override Value Write(GraphBuilder graph, SelfAttention attention)
    {
        Value heads = Heads(graph, attention, attention.Layer.Output);
        if (!multiScale)
            return heads;
        Value further = Heads(graph, attention, LocalMeans(graph, attention));
        ReadFurtherHeads(graph, attention);
        return graph.Concat([heads, further], -1);
    }

    private Value Heads(GraphBuilder graph, SelfAttention attention, Value rows)
    {
        var writer = new AttentionWriter(graph, attention, rows, attention.Order, new NoPosition());
        return writer.MergeHeads(writer.Linear(epsilon), attention.Projection.Input.Shape!.ToStatic()!);
    }

    /// <summary>The output of the Linear, each channel as a map behind a kernel of its own.</summary>
    private static Value LocalMeans(GraphBuilder graph, SelfAttention attention)
    {
        (long height, long width) = attention.Map!.Value;
        int channels = attention.Layer.OutputChannels;
        Value map = graph.Transpose(graph.Reshape(attention.Layer.Output, 1, height, width, channels), 0, 3, 1, 2);
        Value kernels = graph.Constant(Tensor.Of(Kernels(channels), channels, 1, KernelSide, KernelSide), attention.Layer.WeightName + "_scale");
        return graph.Reshape(graph.Transpose(graph.DepthwiseConvolution(map, kernels), 0, 2, 3, 1), attention.Layer.Output.Shape!.ToStatic()!);
    }

    /// <summary>A Gaussian of deviation 1 for each channel; its elements add up to 1.</summary>
    private static float[] Kernels(int channels)
    {
        const int Middle = KernelSide / 2;
        double[] kernel = [.. Enumerable.Range(0, KernelSide * KernelSide).Select(i => Math.Exp(-(Square((i / KernelSide) - Middle) + Square((i % KernelSide) - Middle)) / 2.0))];
        double sum = kernel.Sum();
        return [.. Enumerable.Range(0, channels).SelectMany(_ => kernel.Select(k => (float)(k / sum)))];

        static int Square(int x) => x * x;
    }

    /// <summary>The projection gets rows of zeros for the further heads.</summary>
    private static void ReadFurtherHeads(GraphBuilder graph, SelfAttention attention)
    {
        float[] weight = LayerEdit.WeightOf(attention.Projection).ToArray<float>(), both = [.. weight, .. new float[weight.Length]];
        Tensor tensor = Tensor.Of(both, 2L * attention.Projection.InputChannels, attention.Projection.OutputChannels);
        attention.Projection.Node.ReplaceInput(1, graph.Constant(tensor, attention.Projection.WeightName + "_scales"));
    }
}
