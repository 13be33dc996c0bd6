namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y is constant between jumps: dx = 0, so nothing is given.</summary>
public sealed class StepGradient() : GradientRule("Floor", "Ceil", "Round", "Sign")
{
    public override void Backward(GradientScope scope)
    {
    }
}
