namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = [a, b, ...]: the gradient of each part is its part of dy.</summary>
public sealed class ConcatGradient() : GradientRule("Concat")
{
    public override void Backward(GradientScope scope)
    {
        int rank = scope.OutputShape().Length;
        long axis = scope.Node.GetInt("axis", 0);
        axis = axis < 0 ? axis + rank : axis;
        long start = 0;
        for (int i = 0; i < scope.Node.Inputs.Count; i++)
        {
            long end = start + scope.ShapeOf(i)[axis];
            if (scope.Wants(i) && end > start)
                scope.Give(i, scope.Graph.Slice(scope.OutputGradient, axis, start, end));
            start = end;
        }
    }
}
