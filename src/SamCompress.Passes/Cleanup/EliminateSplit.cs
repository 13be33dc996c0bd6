using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Split(x) with one part => x.</summary>
/// <remarks>Exact.</remarks>
public sealed class EliminateSplit : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly NodePattern _split;

    public EliminateSplit() => _split = Op("Split", _x).MoreInputs();

    protected override ValuePattern Pattern => _split;

    protected override Value? Rewrite(Match match, GraphBuilder graph) =>
        match.Node(_split).Outputs.Count == 1 ? match[_x] : match.Reject("has several parts");
}
