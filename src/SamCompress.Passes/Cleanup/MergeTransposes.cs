using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Transpose(Transpose(x)) => Transpose(x) with both permutations, or x when they cancel.</summary>
/// <remarks>Exact. The inner node may have other users.</remarks>
public sealed class MergeTransposes : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly NodePattern _inner;
    private readonly NodePattern _outer;

    public MergeTransposes()
    {
        _inner = Op("Transpose", _x).Shareable();
        _outer = Op("Transpose", _inner);
    }

    protected override ValuePattern Pattern => _outer;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        if (match.Node(_inner).Permutation() is not { } first || match.Node(_outer).Permutation() is not { } second || first.Length != second.Length)
            return match.Reject("the rank is not known");
        long[] both = Array.ConvertAll(second, axis => first[axis]);
        return both.Select((axis, place) => axis == place).All(stays => stays) ? match[_x] : graph.Transpose(match[_x], both);
    }
}
