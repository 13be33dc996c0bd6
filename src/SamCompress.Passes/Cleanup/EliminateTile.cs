using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Tile(x) => x when every axis is repeated once.</summary>
/// <remarks>Exact.</remarks>
public sealed class EliminateTile : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly ValuePattern _repeats = Any();

    protected override ValuePattern Pattern => Op("Tile", _x, _repeats);

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        if (match[_repeats].Integers() is not { } repeats)
            return match.Reject("the repeats are not known");
        if (repeats.Any(r => r != 1))
            return match.Reject("an axis is repeated");
        return match[_x];
    }
}
