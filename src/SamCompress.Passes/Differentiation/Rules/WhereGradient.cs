using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = c ? a : b: da = c ? dy : 0, db = c ? 0 : dy.</summary>
public sealed class WhereGradient() : GradientRule("Where")
{
    public override void Backward(GradientScope scope)
    {
        Value zero = scope.Scalar(0, scope.OutputGradient);
        if (scope.Wants(1))
            scope.Give(1, scope.Graph.Op("Where", [scope.Input(0), scope.OutputGradient, zero]));
        if (scope.Wants(2))
            scope.Give(2, scope.Graph.Op("Where", [scope.Input(0), zero, scope.OutputGradient]));
    }
}
