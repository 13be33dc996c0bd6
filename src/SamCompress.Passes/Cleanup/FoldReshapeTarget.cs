using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Reshape(x, computed shape) => Reshape(x, constant) with 0 for a dimension copied from x and -1 for one open dimension.</summary>
/// <remarks>Exact. Guards: the shape of the result can be written like that, and, where both are known, it has as many elements as x.</remarks>
public sealed class FoldReshapeTarget : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly ValuePattern _shape = Any();
    private readonly NodePattern _reshape;

    public FoldReshapeTarget() => _reshape = Op("Reshape", _x, _shape);

    protected override ValuePattern Pattern => _reshape;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        if (match[_shape].Constant is not null)
            return match.Reject("the shape is constant already");
        if (match.Root.Shape is not { } shape || ShapeComparison.ReshapeTarget(match[_x], shape) is not { } target)
            return match.Reject("the shape of the result is not known well enough");
        if (match[_x].Shape?.ElementCount is { } given && shape.ElementCount is { } taken && given != taken)
            return match.Reject($"the result is declared with {taken} elements, and {given} are given");
        return graph.Reshape(match[_x], target);
    }
}
