using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Cast(x) => x when x has that element type already.</summary>
/// <remarks>Exact.</remarks>
public sealed class EliminateCast : RewriteRule
{
    private readonly ValuePattern _x = Any();

    protected override ValuePattern Pattern => Op("Cast", _x);

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        if (match[_x].ElementType == ElementType.Undefined || match[_x].ElementType != match.Root.ElementType)
            return match.Reject("changes the element type");
        return match[_x];
    }
}
