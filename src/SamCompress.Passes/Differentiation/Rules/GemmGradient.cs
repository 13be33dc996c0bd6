using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = alpha A B + beta c, A and B as they are or transposed: dA = alpha dy Bᵀ, dB = alpha Aᵀ dy, transposed as a and b are; dc = beta dy.</summary>
public sealed class GemmGradient() : GradientRule("Gemm")
{
    public override void Backward(GradientScope scope)
    {
        Value dy = scope.OutputGradient;
        bool transA = scope.Node.GetInt("transA", 0) != 0, transB = scope.Node.GetInt("transB", 0) != 0;
        if (scope.Wants(0))
            scope.Give(0, transA ? Product(scope, scope.Input(1), transB, dy, true) : Product(scope, dy, false, scope.Input(1), !transB));
        if (scope.Wants(1))
            scope.Give(1, transB ? Product(scope, dy, true, scope.Input(0), transA) : Product(scope, scope.Input(0), !transA, dy, false));
        if (!scope.Wants(2))
            return;
        Value sum = scope.SumTo(dy, scope.ShapeOf(2));
        float beta = scope.Node.GetFloat("beta", 1);
        scope.Give(2, beta == 1 ? sum : scope.Graph.Mul(sum, scope.Scalar(beta, dy)));
    }

    private static Value Product(GradientScope scope, Value a, bool transA, Value b, bool transB)
    {
        var attributes = new List<NodeAttribute>();
        if (scope.Node.Attribute("alpha") is { } alpha)
            attributes.Add(alpha);
        if (transA)
            attributes.Add(NodeAttribute.Of("transA", 1L));
        if (transB)
            attributes.Add(NodeAttribute.Of("transB", 1L));
        return scope.Graph.Op("Gemm", [a, b], attributes);
    }
}
