using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Slice(x) => x when nothing is cut off.</summary>
/// <remarks>Exact. Guards: static shapes, which are equal; no axis is walked backwards.</remarks>
public sealed class EliminateSlice : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly NodePattern _slice;

    public EliminateSlice() => _slice = Op("Slice", _x).MoreInputs();

    protected override ValuePattern Pattern => _slice;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        if (!match.Root.HasShapeOf(match[_x]))
            return match.Reject("cuts something off, or the shape is not known");
        if (match.Node(_slice).Input(4) is { } steps && (steps.Integers() is not { } numbers || numbers.Any(s => s != 1)))
            return match.Reject("a step is not 1");
        return match[_x];
    }
}
