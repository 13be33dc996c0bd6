using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>A value of zeros, which is stored nowhere.</summary>
internal static class Zeros
{
    /// <param name="like">Of its element type.</param>
    public static Value Of(GradientScope scope, long[] shape, Value like) => scope.Graph.Op("Expand", [scope.Scalar(0, like), scope.Graph.Vector(shape)]);
}
