using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Reshape(Reshape(x)) => Reshape(x); Flatten, Squeeze and Unsqueeze count as Reshape.</summary>
/// <remarks>Exact. Guard: the shape of the result can be written with at most one open dimension. The inner node may have other users.</remarks>
public sealed class MergeReshapes : RewriteRule
{
    private readonly ValuePattern _x = Any();

    protected override ValuePattern Pattern => ReshapeLike(ReshapeLike(_x));

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        if (match.Root.Shape is not { } shape || ShapeComparison.ReshapeTarget(match[_x], shape) is not { } target)
            return match.Reject("the shape of the result is not known well enough");
        return graph.Reshape(match[_x], target);
    }

    private static ValuePattern ReshapeLike(ValuePattern x) => OneOf(
        Op("Reshape", x).MoreInputs().Shareable(),
        Op("Flatten", x).Shareable(),
        Op("Squeeze", x).MoreInputs().Shareable(),
        Op("Unsqueeze", x).MoreInputs().Shareable());
}
