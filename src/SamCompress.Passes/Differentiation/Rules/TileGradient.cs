using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = copies of x side by side: dx = the sum of dy over the copies, for which each axis becomes two, (copy, place).</summary>
public sealed class TileGradient() : GradientRule("Tile")
{
    public override void Backward(GradientScope scope)
    {
        long[] shape = scope.ShapeOf(0), tiled = scope.OutputShape();
        Value copies = scope.Graph.Reshape(scope.OutputGradient, [.. shape.SelectMany((size, axis) => new[] { tiled[axis] / size, size })]);
        long[] axes = [.. Enumerable.Range(0, shape.Length).Select(axis => 2L * axis)];
        scope.Give(0, scope.Graph.Op("ReduceSum", [copies, scope.Graph.Vector(axes)], [NodeAttribute.Of("keepdims", 0L)]));
    }
}
