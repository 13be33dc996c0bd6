using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = x[start, start + step, ...]: dx = dy where it was cut out, 0 elsewhere.</summary>
/// <remarks>
/// One Pad. An axis with a step is turned around first where the step is negative, and gets step - 1 zeros behind every element. Guards: constant
/// operands, opset 10 or later.
/// </remarks>
public sealed class SliceGradient() : GradientRule("Slice")
{
    public override void Backward(GradientScope scope)
    {
        if (scope.Node.Input(1).Integers() is not { } starts)
            throw scope.Refuse("its starts are not constant");
        long[] shape = scope.ShapeOf(0), lengths = scope.OutputShape();
        long[] axes = Operand(scope, 3, "axes") ?? [.. Enumerable.Range(0, starts.Length).Select(a => (long)a)];
        long[] steps = Operand(scope, 4, "steps") ?? [.. Enumerable.Repeat(1L, starts.Length)];
        var before = new long[shape.Length];
        var after = new long[shape.Length];
        Value gradient = scope.OutputGradient;
        for (int i = 0; i < starts.Length; i++)
        {
            int axis = (int)(axes[i] < 0 ? axes[i] + shape.Length : axes[i]);
            long size = shape[axis], length = lengths[axis], step = Math.Abs(steps[i]);
            if (length == 0)
                return;
            long first = Math.Clamp(starts[i] < 0 ? starts[i] + size : starts[i], 0, size - 1);
            if (steps[i] < 0)
            {
                gradient = scope.Graph.Slice(gradient, axis, -1, -length - 1, -1);
                first -= (length - 1) * step;
            }

            if (step > 1)
                gradient = Spread(scope.Graph, gradient, axis, step);
            before[axis] = first;
            after[axis] = size - first - (length * step); // negative where the zeros behind the last element reach over the end
        }

        scope.Give(0, Pads.Around(scope.Graph, gradient, before, after));
    }

    /// <summary>Puts step - 1 zeros behind every element of an axis.</summary>
    private static Value Spread(GraphBuilder graph, Value x, int axis, long step)
    {
        long[] shape = x.Shape!.ToStatic()!;
        Value column = graph.Reshape(x, [.. shape[..(axis + 1)], 1, .. shape[(axis + 1)..]]);
        var behind = new long[shape.Length + 1];
        behind[axis + 1] = step - 1;
        Value spread = Pads.Around(graph, column, new long[shape.Length + 1], behind);
        shape[axis] *= step;
        return graph.Reshape(spread, shape);
    }

    private static long[]? Operand(GradientScope scope, int input, string name) =>
        scope.Node.Input(input) is { } value ? value.Integers() ?? throw scope.Refuse($"its {name} are not constant") : null;
}
