using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = f(x), element by element: dx = dy * f'(x). The derivatives: <see cref="PointwiseGradients"/>.</summary>
/// <param name="opType">f.</param>
/// <param name="derivative">Builds f'(x) of x, which is input 0, or of y.</param>
/// <param name="domain">That of the operator.</param>
public sealed class PointwiseGradient(string opType, Func<GradientScope, Value> derivative, string domain = OperatorDomain.Onnx) : GradientRule(opType)
{
    public override string Domain => domain;

    public override void Backward(GradientScope scope)
    {
        for (int i = 1; i < scope.Node.Inputs.Count; i++)
        {
            if (scope.Wants(i))
                throw scope.Refuse($"input {i} depends on what the gradient is asked for");
        }

        if (scope.Wants(0))
            scope.Give(0, scope.Graph.Mul(scope.OutputGradient, derivative(scope)));
    }
}

/// <summary>The derivatives of functions of one element. At a kink they are that of one side.</summary>
internal static class PointwiseGradients
{
    public static IReadOnlyList<GradientRule> All { get; } =
    [
        new PointwiseGradient("Sqrt", s => s.Graph.Div(s.Scalar(0.5, s.Output()), s.Output())), // 1 / 2y
        new PointwiseGradient("Exp", s => s.Output()), // y
        new PointwiseGradient("Log", s => s.Graph.Op("Reciprocal", [s.Input(0)])), // 1 / x
        new PointwiseGradient("Reciprocal", s => s.Graph.Op("Neg", [Square(s, s.Output())])), // -y²
        new PointwiseGradient("Abs", s => s.Graph.Op("Sign", [s.Input(0)])),
        new PointwiseGradient("Erf", OfErf), // 2 / √π exp(-x²)
        new PointwiseGradient("Tanh", s => s.Graph.Sub(s.Scalar(1, s.Output()), Square(s, s.Output()))), // 1 - y²
        new PointwiseGradient("Sigmoid", OfSigmoid), // y - y²
        new PointwiseGradient("Relu", s => s.Graph.Op("Sign", [s.Output()])),
        new PointwiseGradient("LeakyRelu", OfLeakyRelu), // 1 or alpha
        new PointwiseGradient("HardSigmoid", OfHardSigmoid), // alpha where 0 < y < 1
        new PointwiseGradient("HardSwish", OfHardSwish), // 0 or x / 3 + 1 / 2 or 1
        new PointwiseGradient("Clip", s => s.Graph.Cast(s.Graph.Op("Equal", [s.Input(0), s.Output()]), s.Output().ElementType)), // 1 where nothing was cut
        new PointwiseGradient("Gelu", OfGelu),
        new PointwiseGradient("Gelu", OfExactGelu, OperatorDomain.Microsoft),
        new PointwiseGradient("FastGelu", scope => scope.Node.Input(1) is null ? OfTanhGelu(scope) : throw scope.Refuse("it adds a bias"), OperatorDomain.Microsoft),
    ];

    private static Value Square(GradientScope scope, Value x) => scope.Graph.Mul(x, x);

    private static Value OfErf(GradientScope scope)
    {
        Value x = scope.Input(0);
        return scope.Graph.Mul(scope.Graph.Op("Exp", [scope.Graph.Op("Neg", [Square(scope, x)])]), scope.Scalar(2 / Math.Sqrt(Math.PI), x));
    }

    private static Value OfSigmoid(GradientScope scope) => scope.Graph.Sub(scope.Output(), Square(scope, scope.Output()));

    private static Value OfLeakyRelu(GradientScope scope)
    {
        Value x = scope.Input(0);
        return scope.Graph.Op("Where", [scope.Graph.Op("Greater", [x, scope.Scalar(0, x)]), scope.Scalar(1, x), scope.Scalar(scope.Node.GetFloat("alpha", 0.01f), x)]);
    }

    private static Value OfHardSigmoid(GradientScope scope) =>
        scope.Graph.Mul(scope.Graph.Op("Sign", [OfSigmoid(scope)]), scope.Scalar(scope.Node.GetFloat("alpha", 0.2f), scope.Output()));

    private static Value OfHardSwish(GradientScope scope)
    {
        Value x = scope.Input(0);
        Value between = scope.Graph.Add(scope.Graph.Mul(x, scope.Scalar(1.0 / 3, x)), scope.Scalar(0.5, x));
        Value right = scope.Graph.Op("Where", [scope.Graph.Op("Less", [x, scope.Scalar(3, x)]), between, scope.Scalar(1, x)]);
        return scope.Graph.Op("Where", [scope.Graph.Op("Greater", [x, scope.Scalar(-3, x)]), right, scope.Scalar(0, x)]);
    }

    private static Value OfGelu(GradientScope scope) => scope.Node.GetString("approximate", "none") == "tanh" ? OfTanhGelu(scope) : OfExactGelu(scope);

    /// <summary>
    /// y = x Φ(x): Φ(x) + x φ(x), which with u = x / √2 is (1 + erf u) / 2 + u exp(-u² - ln √π). HardSigmoid cuts nothing off here: it is an
    /// addition and a multiplication in one operator.
    /// </summary>
    private static Value OfExactGelu(GradientScope scope)
    {
        Value x = scope.Input(0);
        Value u = scope.Graph.Mul(x, scope.Scalar(Math.Sqrt(0.5), x));
        Value distribution = scope.Graph.Op("HardSigmoid", [scope.Graph.Op("Erf", [u])], [NodeAttribute.Of("alpha", 0.5f), NodeAttribute.Of("beta", 0.5f)]);
        Value density = scope.Graph.Op("Exp", [scope.Graph.Sub(scope.Scalar(-0.5 * Math.Log(Math.PI), x), Square(scope, u))]);
        return scope.Graph.Add(distribution, scope.Graph.Mul(u, density));
    }

    /// <summary>y = x (1 + t) / 2 with t = tanh(k (x + 0.044715 x³)), k = √(2 / π): (1 + t) / 2 + x (1 - t²) k (1 + 0.134145 x²) / 2.</summary>
    private static Value OfTanhGelu(GradientScope scope)
    {
        const double Cubic = 0.044715;
        double k = Math.Sqrt(2 / Math.PI);
        Value x = scope.Input(0);
        Value square = Square(scope, x);
        Value inner = scope.Graph.Mul(x, scope.Graph.Add(scope.Graph.Mul(square, scope.Scalar(k * Cubic, x)), scope.Scalar(k, x)));
        Value t = scope.Graph.Op("Tanh", [inner]);
        Value slope = scope.Graph.Add(scope.Graph.Mul(square, scope.Scalar(1.5 * k * Cubic, x)), scope.Scalar(0.5 * k, x));
        Value bell = scope.Graph.Sub(scope.Scalar(1, x), Square(scope, t));
        Value step = scope.Graph.Op("HardSigmoid", [t], [NodeAttribute.Of("alpha", 0.5f), NodeAttribute.Of("beta", 0.5f)]);
        return scope.Graph.Add(step, scope.Graph.Mul(scope.Graph.Mul(x, slope), bell));
    }
}
