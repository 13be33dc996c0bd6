using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>
/// y = (x - m) r s + b with r = 1 / sqrt(v + epsilon), for each channel: dx = dy r s, ds = sum((x - m) r dy), db = sum(dy), dm = -r s db,
/// dv = -1/2 r² s ds. The statistics m and v are inputs like others, not those of the batch.
/// </summary>
public sealed class BatchNormalizationGradient() : GradientRule("BatchNormalization")
{
    public override void Backward(GradientScope scope)
    {
        if (scope.Node.GetInt("training_mode", 0) != 0)
            throw scope.Refuse("it computes the statistics of the batch");
        int rank = scope.ShapeOf(0).Length;
        Value epsilon = scope.Scalar(scope.Node.GetFloat("epsilon", 1e-5f), scope.Input(4));
        Value inverse = scope.Graph.Op("Reciprocal", [scope.Graph.Op("Sqrt", [scope.Graph.Add(scope.Input(4), epsilon)])]);
        Value factor = scope.Graph.Mul(inverse, scope.Input(1));
        if (scope.Wants(0))
            scope.Give(0, scope.Graph.Mul(scope.OutputGradient, Channels.Broadcast(scope, factor, rank)));
        if (scope.Wants(2) || scope.Wants(3))
        {
            Value bias = Channels.Sum(scope, scope.OutputGradient);
            scope.Give(2, bias);
            if (scope.Wants(3))
                scope.Give(3, scope.Graph.Op("Neg", [scope.Graph.Mul(factor, bias)]));
        }

        if (scope.Wants(1) || scope.Wants(4))
        {
            Value centred = scope.Graph.Sub(scope.Input(0), Channels.Broadcast(scope, scope.Input(3), rank));
            Value scale = scope.Graph.Mul(inverse, Channels.Sum(scope, scope.Graph.Mul(centred, scope.OutputGradient)));
            scope.Give(1, scale);
            if (scope.Wants(4))
                scope.Give(4, scope.Graph.Mul(scope.Graph.Mul(scope.Scalar(-0.5, scale), inverse), scope.Graph.Mul(factor, scale)));
        }
    }
}
