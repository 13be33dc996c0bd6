namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = a * b: da = dy * b, db = dy * a.</summary>
public sealed class MulGradient() : GradientRule("Mul")
{
    public override void Backward(GradientScope scope)
    {
        for (int i = 0; i < 2; i++)
        {
            if (scope.Wants(i))
                scope.Give(i, scope.Graph.Mul(scope.OutputGradient, scope.Input(1 - i)));
        }
    }
}
