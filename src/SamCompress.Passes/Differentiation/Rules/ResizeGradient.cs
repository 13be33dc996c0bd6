using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = R x along each axis that changes, where row i of R holds the weights of output i: dx = R transposed dy.</summary>
/// <remarks>Guards: as <see cref="ResizeWeights"/>.</remarks>
public sealed class ResizeGradient() : GradientRule("Resize")
{
    public override void Backward(GradientScope scope)
    {
        long[] shape = scope.ShapeOf(0), current = scope.OutputShape();
        double[]? scales = ResizeWeights.Scales(scope, shape.Length);
        Value gradient = scope.OutputGradient;
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            if (shape[axis] == current[axis] && scales?[axis] is null or 1)
                continue;
            var weights = new ResizeWeights(scope, shape[axis], current[axis], scales?[axis]);
            if (axis == shape.Length - 1)
            {
                gradient = scope.Graph.MatMul(gradient, weights.Matrix(transposed: false));
                current[axis] = shape[axis];
                continue;
            }

            long outer = current[..axis].Aggregate(1L, (product, d) => product * d), inner = current[(axis + 1)..].Aggregate(1L, (product, d) => product * d);
            Value flat = scope.Graph.Reshape(gradient, outer, current[axis], inner);
            current[axis] = shape[axis];
            gradient = scope.Graph.Reshape(scope.Graph.MatMul(weights.Matrix(transposed: true), flat), current);
        }

        scope.Give(0, gradient);
    }
}
