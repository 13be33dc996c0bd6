namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = sin x: dx = dy * cos x.</summary>
public sealed class SinGradient() : GradientRule("Sin")
{
    public override void Backward(GradientScope scope) => scope.Give(0, scope.Graph.Mul(scope.OutputGradient, scope.Graph.Op("Cos", [scope.Input(0)])));
}

/// <summary>y = cos x: dx = dy * -sin x.</summary>
public sealed class CosGradient() : GradientRule("Cos")
{
    public override void Backward(GradientScope scope) =>
        scope.Give(0, scope.Graph.Mul(scope.OutputGradient, scope.Graph.Op("Neg", [scope.Graph.Op("Sin", [scope.Input(0)])])));
}
