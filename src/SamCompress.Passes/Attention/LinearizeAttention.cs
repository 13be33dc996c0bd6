using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Attention;

/// <summary>
/// ReLU linear attention in place of Softmax attention: softmax(scale * q.k^T + position).v => relu(q).(relu(k)^T.[v 1]), divided by its last column.
/// </summary>
/// <remarks>
/// No approximation of Softmax: it needs repair or distillation, and a gate. Linear in the tokens: 2 N d (d + 1) products in place of 2 N^2 d, no logits, and no
/// term for positions. EfficientViT-SAM, LiteMLA in its associative form; sums and division stay float. Guards: one map of tokens.
/// </remarks>
/// <param name="epsilon">Added to the divisor, which is zero where no channel of a query meets a positive one of a key; 1e-15 in the source, raised so that halves of floats keep it.</param>
public sealed class LinearizeAttention(AttentionSelection selection, float epsilon = 1e-6f) : AttentionRewrite(selection)
{
    protected override string? Refusal(SelfAttention attention)
    {
        ArgumentNullException.ThrowIfNull(attention);
        return epsilon > 0 ? attention.IsGlobal ? null : "it is cut into windows or phases already" : "epsilon must be positive";
    }

    private protected override Value Write(GraphBuilder graph, SelfAttention attention)
    {
        var writer = new AttentionWriter(graph, attention, attention.Layer.Output, attention.Order, new NoPosition());
        return writer.MergeHeads(writer.Linear(epsilon), attention.Projection.Input.Shape!.ToStatic()!);
    }
}
