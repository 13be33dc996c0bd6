using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>
/// y = a b: da = dy bᵀ, db = aᵀ dy, summed over the axes that were broadcast. Where b is a matrix and a has more axes, db is one product of matrices over
/// all rows, which adds them up on the way.
/// </summary>
public sealed class MatMulGradient() : GradientRule("MatMul")
{
    public override void Backward(GradientScope scope)
    {
        if (scope.ShapeOf(0).Length < 2 || scope.ShapeOf(1).Length < 2)
            throw scope.Refuse("an operand is a vector");
        if (scope.Wants(0))
            scope.Give(0, scope.Graph.MatMul(scope.OutputGradient, Transposed(scope, scope.Input(1), scope.ShapeOf(1).Length)));
        if (scope.Wants(1))
            scope.Give(1, scope.ShapeOf(1).Length == 2 ? OfMatrix(scope) : scope.Graph.MatMul(Transposed(scope, scope.Input(0), scope.ShapeOf(0).Length), scope.OutputGradient));
    }

    private static Value OfMatrix(GradientScope scope)
    {
        Value rows = scope.Graph.Reshape(scope.Input(0), -1, scope.ShapeOf(0)[^1]);
        Value gradients = scope.Graph.Reshape(scope.OutputGradient, -1, scope.OutputShape()[^1]);
        return scope.Graph.Op("Gemm", [rows, gradients], [NodeAttribute.Of("transA", 1L)]);
    }

    private static Value Transposed(GradientScope scope, Value value, int rank) =>
        scope.Graph.Transpose(value, [.. Enumerable.Range(0, rank - 2).Select(a => (long)a), rank - 1, rank - 2]);
}
