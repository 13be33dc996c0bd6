using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = x[i] along an axis: dx = P dy, where row r of P is 1 for the indices that are r, and 0 elsewhere.</summary>
/// <remarks>
/// One product of matrices, which adds up what was read several times, always in the same order: a relative position table of SAM has 2 n - 1 rows, each read
/// up to n times.
/// </remarks>
public sealed class GatherGradient() : GradientRule("Gather")
{
    public override void Backward(GradientScope scope)
    {
        if (!scope.Wants(0))
            return;
        long[] shape = scope.ShapeOf(0);
        int axis = (int)scope.Node.GetInt("axis", 0);
        axis = axis < 0 ? axis + shape.Length : axis;
        long rows = shape[axis], count = scope.ShapeOf(1).Aggregate(1L, (product, d) => product * d);
        long outer = shape[..axis].Aggregate(1L, (product, d) => product * d), inner = shape[(axis + 1)..].Aggregate(1L, (product, d) => product * d);
        Value gradient = scope.Graph.Reshape(scope.OutputGradient, outer == 1 ? [count, inner] : [outer, count, inner]);
        scope.Give(0, scope.Graph.Reshape(scope.Graph.MatMul(Places(scope, rows, count), gradient), shape));
    }

    private static Value Places(GradientScope scope, long rows, long count)
    {
        if (scope.Node.Input(1)!.Constant is { } constant)
        {
            return ConstantMatrix.Of(scope, [rows, count], places =>
            {
                long[] indices = constant.ToInt64s();
                for (int i = 0; i < indices.Length; i++)
                    places[((indices[i] < 0 ? indices[i] + rows : indices[i]) * count) + i] = 1;
            }, scope.OutputGradient);
        }

        Value flat = scope.Graph.Reshape(scope.Input(1), count);
        Value values = scope.Graph.Concat([scope.Graph.Reshape(scope.Scalar(0, scope.OutputGradient), 1), scope.Graph.Reshape(scope.Scalar(1, scope.OutputGradient), 1)], 0);
        return scope.Graph.Op("OneHot", [scope.Graph.Cast(flat, ElementType.Int64), scope.Graph.Vector(rows), values], [NodeAttribute.Of("axis", 0L)]);
    }
}
