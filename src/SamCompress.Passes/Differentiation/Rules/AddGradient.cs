namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = a + b: da = dy, db = dy.</summary>
public sealed class AddGradient() : GradientRule("Add")
{
    public override void Backward(GradientScope scope)
    {
        scope.Give(0, scope.OutputGradient);
        scope.Give(1, scope.OutputGradient);
    }
}
