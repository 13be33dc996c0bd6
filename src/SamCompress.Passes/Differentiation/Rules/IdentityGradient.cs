using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = x: dx = dy. Dropout is that outside of training, where alone it has a rule.</summary>
public sealed class IdentityGradient() : GradientRule("Identity", "Dropout")
{
    public override void Backward(GradientScope scope)
    {
        if (scope.Node.Input(2) is { } training && !(training.Constant is { ElementType: ElementType.Bool } constant && constant.ToInt64s() is [0]))
            throw scope.Refuse("it may drop elements");
        scope.Give(0, scope.OutputGradient);
    }
}
