using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>
/// y = n * scale + bias, n = (x - mean) / deviation: dscale = dy * n, dbias = dy, and with g = dy * scale
/// dx = (g - mean g - n * mean(g * n)) / deviation. n and 1 / deviation come from a second normalization with scale 1: one operator, where
/// n from mean and deviation would be two.
/// </summary>
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
        long[] shape = scope.ShapeOf(0);
        int axis = (int)scope.Node.GetInt("axis", -1);
        axis = axis < 0 ? axis + shape.Length : axis;
        IReadOnlyList<Value> normalization = scope.Graph.Op(
            "LayerNormalization",
            [scope.Input(0), scope.Ones(shape[axis..], dy)],
            3,
            [NodeAttribute.Of("axis", (long)axis), NodeAttribute.Of("epsilon", scope.Node.GetFloat("epsilon", 1e-5f)), NodeAttribute.Of("stash_type", (long)dy.ElementType)]);
        Value n = normalization[0];
        if (scope.Wants(1))
            scope.Give(1, scope.Graph.Mul(dy, n));
        if (!scope.Wants(0))
            return;
        Value g = scope.Graph.Mul(dy, scope.Input(1));
        Value centred = scope.Graph.Sub(g, Mean(g));
        Value along = scope.Graph.Mul(n, Mean(scope.Graph.Mul(g, n)));
        scope.Give(0, scope.Graph.Mul(scope.Graph.Sub(centred, along), normalization[2]));

        Value Mean(Value value)
        {
            long[] axes = [.. Enumerable.Range(axis, shape.Length - axis).Select(a => (long)a)];
            return scope.Graph.Opset >= 18
                ? scope.Graph.Op("ReduceMean", [value, scope.Graph.Vector(axes)])
                : scope.Graph.Op("ReduceMean", [value], [NodeAttribute.Of("axes", axes)]);
        }
    }
}
