namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y holds the elements of x in their order, in another shape: dx = dy in the shape of x.</summary>
public sealed class ReshapeGradient() : GradientRule("Reshape", "Squeeze", "Unsqueeze", "Flatten")
{
    public override void Backward(GradientScope scope) => scope.Give(0, scope.Graph.Reshape(scope.OutputGradient, scope.ShapeOf(0)));
}
