using System.Globalization;

namespace SamCompress.Passes.Attention;

/// <summary>Which self-attentions of a graph a rewrite is for: those with these numbers, counted from 0 in graph order, or null for all that are global.</summary>
public sealed record AttentionSelection(IReadOnlyList<int>? Blocks = null)
{
    /// <summary>The chosen attentions with their numbers.</summary>
    /// <exception cref="SamCompressException">There is no attention of a number, or none at all to choose.</exception>
    public IReadOnlyList<(int Number, SelfAttention Attention)> Of(SelfAttentionView view)
    {
        ArgumentNullException.ThrowIfNull(view);
        (int Number, SelfAttention Attention)[] all = [.. view.Attentions.Select((a, i) => (i, a))];
        if (Blocks is null)
        {
            (int, SelfAttention)[] global = [.. all.Where(a => a.Attention.IsGlobal)];
            return global.Length > 0 ? global : throw Missing("the model has no attention of all tokens that is understood", view);
        }

        foreach (int block in Blocks.Where(b => b < 0 || b >= all.Length))
            throw Missing(string.Create(CultureInfo.InvariantCulture, $"the model has no attention number {block}: there are {all.Length}, from 0"), view);
        return [.. Blocks.Distinct().Order().Select(b => all[b])];
    }

    private static SamCompressException Missing(string message, SelfAttentionView view) => new(
        FailureKind.Unsupported, message, view.Misses.Count > 0 ? $"not understood: {view.Misses[0].Softmax}, {view.Misses[0].Reason}" : "see the attentions with: samcompress inspect");
}
