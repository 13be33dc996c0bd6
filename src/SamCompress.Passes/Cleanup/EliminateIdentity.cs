using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Identity(x) => x.</summary>
/// <remarks>Exact. Stays where a graph output is a graph input, an initializer or another output.</remarks>
public sealed class EliminateIdentity : RewriteRule
{
    private readonly ValuePattern _x = Any();

    protected override ValuePattern Pattern => Op("Identity", _x);

    protected override Value? Rewrite(Match match, GraphBuilder graph) => match[_x];
}
