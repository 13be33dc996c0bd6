using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Transpose(x) => x when no axis moves.</summary>
/// <remarks>Exact.</remarks>
public sealed class EliminateTranspose : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly NodePattern _transpose;

    public EliminateTranspose() => _transpose = Op("Transpose", _x);

    protected override ValuePattern Pattern => _transpose;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        if (match.Node(_transpose).Permutation() is not { } order)
            return match.Reject("the rank is not known");
        if (!order.Select((axis, place) => axis == place).All(stays => stays))
            return match.Reject("moves an axis");
        return match[_x];
    }
}
