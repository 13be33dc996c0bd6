namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = x, broadcast: dx = dy, summed up along the axes that were added or stretched.</summary>
public sealed class ExpandGradient() : GradientRule("Expand")
{
    public override void Backward(GradientScope scope) => scope.Give(0, scope.OutputGradient);
}
