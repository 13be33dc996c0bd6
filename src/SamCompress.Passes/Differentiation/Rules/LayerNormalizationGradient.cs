using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>
/// y = n * scale + bias, n = (x - mean x) / deviation: dscale = dy * n, dbias = dy, and with g = dy * scale
/// dx = (g - mean g - n * mean(g * n)) / deviation.
/// </summary>
/// <remarks>
/// n is computed anew from x: the second and third outputs of the operator are in single precision whatever the first is, and ONNX Runtime's kernel is
/// slower on few rows than these nodes.
/// </remarks>
public sealed class LayerNormalizationGradient() : GradientRule("LayerNormalization")
{
    public override void Backward(GradientScope scope)
    {
        if (Enumerable.Range(1, scope.Node.Outputs.Count - 1).Any(i => scope.OutputGradientOf(i) is not null))
            throw scope.Refuse("the loss depends on its mean or deviation");
        Value dy = scope.OutputGradient;
        scope.Give(2, dy);
        if (!scope.Wants(0) && !scope.Wants(1))
            return;
        (Value n, Value inverse) = Normalized(scope);
        if (scope.Wants(1))
            scope.Give(1, scope.Graph.Mul(dy, n));
        if (!scope.Wants(0))
            return;
        Value g = scope.Graph.Mul(dy, scope.Input(1));
        Value centred = scope.Graph.Sub(g, Mean(scope, g));
        Value along = scope.Graph.Mul(n, Mean(scope, scope.Graph.Mul(g, n)));
        scope.Give(0, scope.Graph.Mul(scope.Graph.Sub(centred, along), inverse));
    }

    /// <summary>n and 1 / deviation.</summary>
    private static (Value N, Value Inverse) Normalized(GradientScope scope)
    {
        Value x = scope.Input(0);
        Value centred = scope.Graph.Sub(x, Mean(scope, x));
        Value variance = scope.Graph.Add(Mean(scope, scope.Graph.Mul(centred, centred)), scope.Scalar(scope.Node.GetFloat("epsilon", 1e-5f), x));
        Value inverse = scope.Graph.Op("Reciprocal", [scope.Graph.Op("Sqrt", [variance])]);
        return (scope.Graph.Mul(centred, inverse), inverse);
    }

    private static Value Mean(GradientScope scope, Value value)
    {
        int rank = scope.ShapeOf(0).Length, axis = (int)scope.Node.GetInt("axis", -1);
        return scope.Reduce("ReduceMean", value, [.. Enumerable.Range(axis < 0 ? axis + rank : axis, axis < 0 ? -axis : rank - axis).Select(a => (long)a)]);
    }
}
