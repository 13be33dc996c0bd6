using SamCompress.Passes.Cleanup;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>y = x with a constant around it: dx = the part of dy that is x. Where y leaves out elements of x, their gradient is 0.</summary>
/// <remarks>Guards: a constant is padded, and nobody asks for its gradient; constant pads, opset 11 or later.</remarks>
public sealed class PadGradient() : GradientRule("Pad")
{
    public override void Backward(GradientScope scope)
    {
        if (scope.Node.GetString("mode", "constant") is var mode && mode != "constant")
            throw scope.Refuse($"mode {mode}");
        if (scope.Wants(2))
            throw scope.Refuse("the value that it pads with would be trained");
        if (scope.Node.Input(1).Integers() is not { } pads)
            throw scope.Refuse("its pads are not constant");
        int rank = scope.ShapeOf(0).Length;
        if (scope.Node.Input(3) is { } some && some.Integers() is null)
            throw scope.Refuse("its axes are not constant");
        long[] axes = scope.Node.Input(3).Integers() ?? [.. Enumerable.Range(0, rank).Select(a => (long)a)];
        var before = new long[rank];
        var after = new long[rank];
        for (int i = 0; i < axes.Length; i++)
        {
            long axis = axes[i] < 0 ? axes[i] + rank : axes[i];
            (before[axis], after[axis]) = (-pads[i], -pads[axes.Length + i]);
        }

        scope.Give(0, Pads.Around(scope.Graph, scope.OutputGradient, before, after));
    }
}
