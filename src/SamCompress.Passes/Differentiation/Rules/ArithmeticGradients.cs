using SamCompress.IR;

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

/// <summary>y = a - b: da = dy, db = -dy.</summary>
public sealed class SubGradient() : GradientRule("Sub")
{
    public override void Backward(GradientScope scope)
    {
        scope.Give(0, scope.OutputGradient);
        if (scope.Wants(1))
            scope.Give(1, scope.Graph.Op("Neg", [scope.SumTo(scope.OutputGradient, scope.ShapeOf(1))]));
    }
}

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

/// <summary>y = a / b: da = dy / b, db = -da * y.</summary>
public sealed class DivGradient() : GradientRule("Div")
{
    public override void Backward(GradientScope scope)
    {
        Value quotient = scope.Graph.Div(scope.OutputGradient, scope.Input(1));
        scope.Give(0, quotient);
        if (scope.Wants(1))
            scope.Give(1, scope.Graph.Op("Neg", [scope.SumTo(scope.Graph.Mul(quotient, scope.Output()), scope.ShapeOf(1))]));
    }
}

/// <summary>y = -x: dx = -dy.</summary>
public sealed class NegGradient() : GradientRule("Neg")
{
    public override void Backward(GradientScope scope) => scope.Give(0, scope.Graph.Op("Neg", [scope.OutputGradient]));
}

/// <summary>y = a ^ b: da = dy * b * a ^ (b - 1), db = dy * y * log a, for a > 0, and 0 elsewhere.</summary>
public sealed class PowGradient() : GradientRule("Pow")
{
    public override void Backward(GradientScope scope)
    {
        if (scope.Wants(0))
            scope.Give(0, scope.Graph.Mul(scope.OutputGradient, OfBase(scope)));
        if (scope.Wants(1))
            scope.Give(1, scope.Graph.Mul(scope.OutputGradient, scope.Graph.Mul(scope.Output(), Logarithm(scope))));
    }

    private static Value OfBase(GradientScope scope)
    {
        Value a = scope.Input(0);
        if (scope.Node.Input(1)!.Constant?.ScalarOrNull() is { } exponent)
        {
            Value power = exponent == 2 ? a : scope.Graph.Op("Pow", [a, scope.Scalar(exponent - 1, a)]);
            return scope.Graph.Mul(power, scope.Scalar(exponent, a));
        }

        Value b = scope.Input(1).ElementType == a.ElementType ? scope.Input(1) : scope.Graph.Cast(scope.Input(1), a.ElementType);
        return scope.Graph.Mul(b, scope.Graph.Op("Pow", [a, scope.Graph.Sub(b, scope.Scalar(1, b))]));
    }

    /// <summary>Of 1 where there is none.</summary>
    private static Value Logarithm(GradientScope scope)
    {
        Value a = scope.Input(0);
        if (scope.Input(1).ElementType != a.ElementType)
            throw scope.Refuse("base and exponent differ in type");
        Value isPositive = scope.Graph.Op("Greater", [a, scope.Scalar(0, a)]);
        return scope.Graph.Op("Log", [scope.Graph.Op("Where", [isPositive, a, scope.Scalar(1, a)])]);
    }
}
