using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>What layers with one number for each channel of [n, c, ...] share.</summary>
internal static class Channels
{
    /// <summary>Sums over all axes but the channels.</summary>
    public static Value Sum(GradientScope scope, Value x)
    {
        long[] axes = [0, .. Enumerable.Range(2, x.Shape!.Rank - 2).Select(a => (long)a)];
        return scope.Graph.Op("ReduceSum", [x, scope.Graph.Vector(axes)], [NodeAttribute.Of("keepdims", 0L)]);
    }

    /// <summary>A vector, so that it is broadcast along the channels of a value of <paramref name="rank"/>.</summary>
    public static Value Broadcast(GradientScope scope, Value vector, int rank) =>
        scope.Graph.Reshape(vector, [-1, .. Enumerable.Repeat(1L, rank - 2)]);
}
