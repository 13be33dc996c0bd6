using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = sum of x over axes: dx = dy, repeated along them.</summary>
public sealed class ReduceSumGradient() : GradientRule("ReduceSum")
{
    public override void Backward(GradientScope scope) => scope.Give(0, Reduction.Expand(scope, scope.OutputGradient));
}

/// <summary>y = mean of x over axes: dx = dy / number of elements, repeated along them.</summary>
public sealed class ReduceMeanGradient() : GradientRule("ReduceMean")
{
    public override void Backward(GradientScope scope)
    {
        double count = (double)(scope.Node.Input(0)!.Shape!.ElementCount! / scope.Node.Output.Shape!.ElementCount!);
        scope.Give(0, Reduction.Expand(scope, scope.Graph.Mul(scope.OutputGradient, scope.Scalar(1 / count, scope.OutputGradient))));
    }
}

/// <summary>What reductions share: the axes as an attribute or as an input, kept or not.</summary>
internal static class Reduction
{
    /// <summary>The shape of the output with the axes that were reduced, of length 1.</summary>
    public static long[] KeptShape(GradientScope scope)
    {
        long[] shape = scope.ShapeOf(0);
        IReadOnlyList<long>? axes = scope.Node.GetInts("axes");
        if (scope.Node.Input(1) is { } input)
            axes = input.Constant?.ToInt64s() ?? throw scope.Refuse("the axes are computed");
        if (axes is null or [])
            return scope.Node.GetInt("noop_with_empty_axes", 0) != 0 ? shape : Array.ConvertAll(shape, _ => 1L);
        foreach (long axis in axes)
            shape[axis < 0 ? axis + shape.Length : axis] = 1;
        return shape;
    }

    /// <summary>Repeats a value of the shape of the output along the axes that were reduced.</summary>
    public static Value Expand(GradientScope scope, Value value) =>
        scope.Graph.Op("Expand", [Kept(scope, value), scope.Graph.Vector(scope.ShapeOf(0))]);

    /// <summary>Gives a value of the shape of the output the axes that were reduced.</summary>
    public static Value Kept(GradientScope scope, Value value)
    {
        long[] kept = KeptShape(scope);
        return scope.OutputShape().AsSpan().SequenceEqual(kept) ? value : scope.Graph.Reshape(value, kept);
    }
}
