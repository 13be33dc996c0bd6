namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = x in another floating-point type: dx = dy in the type of x. Integers and truth values carry no gradient.</summary>
public sealed class CastGradient() : GradientRule("Cast")
{
    public override void Backward(GradientScope scope) => scope.Give(0, scope.Graph.Cast(scope.OutputGradient, scope.Node.Input(0)!.ElementType));
}
