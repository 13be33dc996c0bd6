using System.Runtime.InteropServices;
using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>Constants of gradients, computed when they are read.</summary>
internal static class ConstantMatrix
{
    /// <param name="fill">Fills a buffer of zeros, row by row.</param>
    /// <param name="like">Of its element type.</param>
    public static Value Of(GradientScope scope, long[] shape, Action<double[]> fill, Value like) => scope.Graph.Constant(Tensor.Lazy(like.ElementType, shape, bytes =>
    {
        double[] elements = new double[shape.Aggregate(1L, (product, d) => product * d)];
        fill(elements);
        if (like.ElementType == ElementType.Double)
        {
            elements.CopyTo(MemoryMarshal.Cast<byte, double>(bytes));
            return;
        }

        Span<float> rounded = MemoryMarshal.Cast<byte, float>(bytes);
        for (int i = 0; i < elements.Length; i++)
            rounded[i] = (float)elements[i];
    }));
}
