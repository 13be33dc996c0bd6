namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = x with its axes in another order: dx = dy with the axes in the inverse order.</summary>
public sealed class TransposeGradient() : GradientRule("Transpose")
{
    public override void Backward(GradientScope scope)
    {
        int rank = scope.ShapeOf(0).Length;
        IReadOnlyList<long> order = scope.Node.GetInts("perm") ?? [.. Enumerable.Range(0, rank).Reverse().Select(a => (long)a)];
        var inverse = new long[rank];
        for (int i = 0; i < rank; i++)
            inverse[order[i]] = i;
        scope.Give(0, scope.Graph.Transpose(scope.OutputGradient, inverse));
    }
}
