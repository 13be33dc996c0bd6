using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Reshape, Flatten, Squeeze, Unsqueeze or Expand of x => x when the result has the shape of x.</summary>
/// <remarks>Exact. Dimensions are equal when they are the same number or the same name.</remarks>
public sealed class EliminateReshape : RewriteRule
{
    private readonly ValuePattern _x = Any();

    protected override ValuePattern Pattern =>
        OneOf(Op("Reshape", _x).MoreInputs(), Op("Flatten", _x), Op("Squeeze", _x).MoreInputs(), Op("Unsqueeze", _x).MoreInputs(), Op("Expand", _x).MoreInputs());

    protected override Value? Rewrite(Match match, GraphBuilder graph) =>
        match.Root.HasShapeOf(match[_x]) ? match[_x] : match.Reject("changes the shape, or it is not known");
}
