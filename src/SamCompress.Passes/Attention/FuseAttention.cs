using SamCompress.IR;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Rewriting;
using SamCompress.Passes.Targets;

namespace SamCompress.Passes.Attention;

/// <summary>How an attention is written for a target.</summary>
public enum AttentionForm
{
    /// <summary>Two products around a Softmax, the term for positions as a third product.</summary>
    Products,

    /// <summary>The same for one block of queries after another, in a Scan.</summary>
    Blocked,

    /// <summary>com.microsoft.MultiHeadAttention, positions as further columns of query and key.</summary>
    Fused,
}

/// <summary>
/// Writes self-attention in the form that the target runs best: the factor of the logits folded into the weight of the query, relative positions as a product with a
/// one-hot basis, one Transpose before and one behind, windows cut behind the Linear, and no logits of all tokens at once.
/// </summary>
/// <remarks>
/// Exact up to rounding (docs/attention.md). Guards: the attention is read whole (<see cref="SelfAttentionReader"/>); the weight is an initializer. Runs behind what
/// looks for attention, such as equalization: what it writes as <see cref="AttentionForm.Fused"/> or <see cref="AttentionForm.Blocked"/> is not read again.
/// </remarks>
public sealed class FuseAttention(TargetDescription target) : Pass
{
    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        if (target.Attention is not { } rule || model.Opset() < 13)
            return 0;
        int changes = 0;
        SelfAttentionView view = SelfAttentionReader.Read(model);
        foreach (AttentionMiss miss in view.Misses)
            context.Report("SC4301", Severity.Info, miss.Softmax.ToString(), $"attention is left as it is: {miss.Reason}");
        foreach (SelfAttention attention in view.Attentions)
        {
            if (LayerEdit.Refusal(attention.Layer) is { } why)
            {
                context.Report("SC4301", Severity.Info, attention.Softmax.ToString(), $"attention is left as it is: {why}");
                continue;
            }

            AttentionForm form = Choose(rule, attention);
            if (form == AttentionForm.Products && IsDone(attention))
                continue;
            if (!context.Step(attention.Softmax, $"{form} of {attention.Order.GroupCount} x {attention.Order.TokenCount} tokens"))
                return changes;
            Rewrite(model, attention, form, rule);
            changes++;
        }

        return changes;
    }

    /// <summary>What the target runs best: measured, see docs/attention.md.</summary>
    public static AttentionForm Choose(AttentionRule rule, SelfAttention attention)
    {
        ArgumentNullException.ThrowIfNull(rule);
        ArgumentNullException.ThrowIfNull(attention);
        long logits = attention.Order.GroupCount * attention.Heads * attention.Order.TokenCount * attention.Order.TokenCount * sizeof(float);
        long? columns = attention.Position switch
        {
            NoPosition => 0,
            DecomposedPosition p => p.Rows + p.Columns,
            ProjectedPosition p => p.Rank,
            _ => null,
        };
        bool mayFuse = rule.FusedOperator && columns is not null && attention.Columns.PlaceOf(ColumnLayout.Head) < attention.Columns.PlaceOf(ColumnLayout.Channel);
        bool isTooLarge = logits > rule.LargestLogits;
        double share = (double)(columns ?? 0) / attention.HeadSize;
        if (mayFuse && share <= (isTooLarge ? rule.MostFusedColumnsOfLarge : rule.MostFusedColumns))
            return AttentionForm.Fused;
        return isTooLarge && columns is not null ? AttentionForm.Blocked : AttentionForm.Products;
    }

    /// <summary>Whether products would be written as they are.</summary>
    private static bool IsDone(SelfAttention attention) =>
        attention.Scale == 1 && attention.Position is not DecomposedPosition { IsFolded: false } && WindowSink.Refusal(attention) is not null;

    private static void Rewrite(Model model, SelfAttention attention, AttentionForm form, AttentionRule rule)
    {
        ScaleQuery(attention);
        var graph = new GraphBuilder(model, attention.Projection.Node, attention.Softmax.Output.Name);
        WindowPartition? window = WindowSink.Refusal(attention) is null ? attention.Window : null;
        float[]? constant = null;
        Value rows = window is null ? attention.Layer.Output : WindowSink.Rows(graph, attention, window, out constant);
        TokenOrder order = window?.Order ?? attention.Order;
        var writer = new AttentionWriter(graph, attention, rows, order, attention.Position, attention.Scale);
        long[] shape = window is null ? attention.Projection.Input.Shape!.ToStatic()! : [1, window.PaddedHeight, window.PaddedWidth, attention.Projection.InputChannels];
        Value context = form switch
        {
            AttentionForm.Fused => writer.MergeTokens(writer.Fused(), shape),
            AttentionForm.Blocked => writer.MergeHeads(writer.Blocked(Blocks(attention, rule.LargestLogits), rule.FusedOperator), shape),
            _ => writer.MergeHeads(writer.Products(), shape),
        };
        if (window is null)
            attention.Projection.Node.ReplaceInput(0, context);
        else
            graph.Graph.Substitute(window.Result, WindowSink.Project(graph, attention, window, context, constant));
    }

    /// <summary>The factor of the logits goes into the columns of the query.</summary>
    private static void ScaleQuery(SelfAttention attention)
    {
        var factors = new float[attention.Layer.OutputChannels];
        Array.Fill(factors, 1);
        foreach (int column in attention.Block.QueryKey!.Query.Columns)
            factors[column] = (float)attention.Scale;
        LayerEdit.ScaleOutputs(attention.Layer, factors);
    }

    /// <summary>The fewest blocks whose logits are small enough; they divide the tokens.</summary>
    private static long Blocks(SelfAttention attention, long largest)
    {
        long tokens = attention.Order.TokenCount, bytesOfQuery = attention.Order.GroupCount * attention.Heads * tokens * sizeof(float);
        long blocks = 1;
        while (blocks < tokens && (tokens % blocks != 0 || tokens / blocks * bytesOfQuery > largest))
            blocks++;
        return blocks;
    }
}
