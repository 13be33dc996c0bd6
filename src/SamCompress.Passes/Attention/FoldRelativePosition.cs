using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Attention;

/// <summary>
/// Writes a decomposed relative position as one product: q.k^T + rows(q.Height) + columns(q.Width) => q.k^T + [q.Height | q.Width].B with B one-hot,
/// [rows + columns, tokens]. What <see cref="ReduceRelativePosition"/> starts from.
/// </summary>
/// <remarks>Exact up to rounding. Guards: a decomposed relative position that is not folded yet.</remarks>
public sealed class FoldRelativePosition(AttentionSelection selection) : AttentionRewrite(selection)
{
    protected override string? Refusal(SelfAttention attention)
    {
        ArgumentNullException.ThrowIfNull(attention);
        return attention.Position is not DecomposedPosition position ? "it has no decomposed relative position"
            : position.IsFolded ? "its relative positions are folded already" : null;
    }

    private protected override Value Write(GraphBuilder graph, SelfAttention attention)
    {
        var writer = new AttentionWriter(graph, attention, attention.Layer.Output, attention.Order, attention.Position);
        return writer.MergeHeads(writer.Products(), attention.Projection.Input.Shape!.ToStatic()!);
    }
}
