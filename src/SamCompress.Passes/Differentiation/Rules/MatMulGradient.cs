using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>
/// y = a b: da = dy bᵀ, db = aᵀ dy, summed over the axes that were broadcast. Where b is a matrix both are one Gemm over all rows, which
/// transposes and adds up on the way. Else the smaller operand is transposed: aᵀ dy = (dyᵀ a)ᵀ.
/// </summary>
public sealed class MatMulGradient() : GradientRule("MatMul")
{
    public override void Backward(GradientScope scope)
    {
        if (scope.ShapeOf(0).Length < 2 || scope.ShapeOf(1).Length < 2)
            throw scope.Refuse("an operand is a vector");
        if (scope.ShapeOf(1).Length == 2)
            OfRows(scope);
        else
            OfBatches(scope);
    }

    private static void OfRows(GradientScope scope)
    {
        Value gradients = Rows(scope, scope.OutputGradient, scope.OutputShape());
        if (scope.Wants(0))
        {
            Value rows = scope.Graph.Op("Gemm", [gradients, scope.Input(1)], [NodeAttribute.Of("transB", 1L)]);
            scope.Give(0, scope.ShapeOf(0).Length == 2 ? rows : scope.Graph.Reshape(rows, scope.ShapeOf(0)));
        }

        if (scope.Wants(1))
            scope.Give(1, scope.Graph.Op("Gemm", [Rows(scope, scope.Input(0), scope.ShapeOf(0)), gradients], [NodeAttribute.Of("transA", 1L)]));
    }

    private static Value Rows(GradientScope scope, Value value, long[] shape) => shape.Length == 2 ? value : scope.Graph.Reshape(value, -1, shape[^1]);

    private static void OfBatches(GradientScope scope)
    {
        Value dy = scope.OutputGradient;
        long output = Count(scope.OutputShape()), left = Count(scope.ShapeOf(0)), right = Count(scope.ShapeOf(1));
        if (scope.Wants(0))
        {
            scope.Give(0, right <= output + left || scope.IsTransposed(1)
                ? scope.Graph.MatMul(dy, scope.Transposed(1))
                : scope.Transpose(scope.Graph.MatMul(scope.Input(1), scope.Transpose(dy))));
        }

        if (scope.Wants(1))
        {
            scope.Give(1, left <= output + right || scope.IsTransposed(0)
                ? scope.Graph.MatMul(scope.Transposed(0), dy)
                : scope.Transpose(scope.Graph.MatMul(scope.Transpose(dy), scope.Input(0))));
        }
    }

    private static long Count(long[] shape) => shape.Aggregate(1L, (product, d) => product * d);
}
