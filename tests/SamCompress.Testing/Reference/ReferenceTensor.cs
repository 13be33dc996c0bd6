using SamCompress.IR;

namespace SamCompress.Testing.Reference;

/// <summary>A tensor of any element type as double, row-major; truth values are 0 and 1.</summary>
public sealed record ReferenceTensor(ElementType Type, int[] Shape, double[] Data)
{
    public int Rank => Shape.Length;

    public static ReferenceTensor Of(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return new ReferenceTensor(tensor.ElementType, [.. tensor.Dimensions.Select(d => checked((int)d))], tensor.ElementType switch
        {
            ElementType.Float => Array.ConvertAll(tensor.ToArray<float>(), v => (double)v),
            ElementType.Double => tensor.ToArray<double>(),
            ElementType.Float16 => Array.ConvertAll(tensor.ToArray<Half>(), v => (double)v),
            _ => Array.ConvertAll(tensor.ToInt64s(), v => (double)v),
        });
    }

    /// <summary>The distance between elements that are neighbours along each axis.</summary>
    public int[] Strides() => StridesOf(Shape);

    public static int[] StridesOf(int[] shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        int[] strides = new int[shape.Length];
        for (int i = shape.Length - 1, stride = 1; i >= 0; stride *= shape[i--])
            strides[i] = stride;
        return strides;
    }

    public static int CountOf(IEnumerable<int> shape) => shape.Aggregate(1, (product, d) => checked(product * d));
}
