using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = softmax x along an axis: dx = y * (dy - sum of dy * y along it).</summary>
public sealed class SoftmaxGradient() : GradientRule("Softmax")
{
    public override void Backward(GradientScope scope)
    {
        Value sum = SumAlongAxis(scope, scope.Graph.Mul(scope.OutputGradient, scope.Output()));
        scope.Give(0, scope.Graph.Mul(scope.Graph.Sub(scope.OutputGradient, sum), scope.Output()));
    }

    internal static Value SumAlongAxis(GradientScope scope, Value value)
    {
        if (scope.Graph.Opset < 13)
            throw scope.Refuse("before opset 13 it flattens its input");
        return scope.Graph.Op("ReduceSum", [value, scope.Graph.Vector(scope.Node.GetInt("axis", -1))]);
    }
}

/// <summary>y = log softmax x along an axis: dx = dy - exp(y) * sum of dy along it.</summary>
public sealed class LogSoftmaxGradient() : GradientRule("LogSoftmax")
{
    public override void Backward(GradientScope scope)
    {
        Value sum = SoftmaxGradient.SumAlongAxis(scope, scope.OutputGradient);
        scope.Give(0, scope.Graph.Sub(scope.OutputGradient, scope.Graph.Mul(scope.Graph.Op("Exp", [scope.Output()]), sum)));
    }
}
