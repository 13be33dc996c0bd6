using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Attention;

/// <summary>
/// Writes chosen self-attentions anew, in standard operators. What comes out of them is read by the same projection, so that a layer behind can be refitted.
/// </summary>
public abstract class AttentionRewrite(AttentionSelection selection, int? localKernel = null) : Pass
{
    /// <exception cref="SamCompressException">A chosen attention does not have what the rewrite needs.</exception>
    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        foreach ((int number, SelfAttention attention) in selection.Of(SelfAttentionReader.Read(model)))
        {
            if ((model.Opset() < 13 ? "the model's opset is below 13" : Refusal(attention) ?? (localKernel is { } side ? LocalMixing.Refusal(attention, side) : null)) is { } why)
                throw new SamCompressException(FailureKind.Unsupported, string.Create(CultureInfo.InvariantCulture, $"{Name}: attention {number} ({attention.Name}): {why}"), "choose others with --blocks");
            if (!context.Step(attention.Softmax, string.Create(CultureInfo.InvariantCulture, $"attention {number} of {attention.Order.GroupCount} x {attention.Order.TokenCount} tokens")))
                return changes;
            var graph = new GraphBuilder(model, attention.Projection.Node, attention.Softmax.Output.Name);
            Value heads = Write(graph, attention);
            attention.Projection.Node.ReplaceInput(0, localKernel is { } kernel ? LocalMixing.Write(graph, attention, heads, kernel) : heads);
            changes++;
        }

        return changes;
    }

    /// <summary>Why the attention cannot be rewritten, or null.</summary>
    protected abstract string? Refusal(SelfAttention attention);

    /// <summary>What the projection reads in place of its input, of the same shape.</summary>
    private protected abstract Value Write(GraphBuilder graph, SelfAttention attention);
}
