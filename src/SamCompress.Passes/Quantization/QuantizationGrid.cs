namespace SamCompress.Passes.Quantization;

/// <summary>The values that a quantized tensor can take: (q - zero point) * scale for q from <paramref name="Lowest"/> to <paramref name="Highest"/>.</summary>
/// <param name="Scale">Positive, finite and normal. The distance of neighbouring values.</param>
/// <param name="ZeroPoint">The q that stands for zero; between lowest and highest, so that zero is exact.</param>
public readonly record struct QuantizationGrid(float Scale, int ZeroPoint, int Lowest, int Highest)
{
    public float Min => (Lowest - ZeroPoint) * Scale;

    public float Max => (Highest - ZeroPoint) * Scale;

    /// <summary>The grid that covers a range with as many steps as there are. The range is widened to hold zero.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A bound is not finite.</exception>
    public static QuantizationGrid Affine(float min, float max, int lowest, int highest)
    {
        if (!float.IsFinite(min) || !float.IsFinite(max))
            throw new ArgumentOutOfRangeException(nameof(min), "the range is not finite");
        double low = Math.Min(0, min), high = Math.Max(0, max);
        float scale = Usable((float)((high - low) / (highest - lowest)));
        int zeroPoint = (int)Math.Clamp(Math.Round(lowest - (low / scale), MidpointRounding.ToEven), lowest, highest);
        return new QuantizationGrid(scale, zeroPoint, lowest, highest);
    }

    /// <summary>The grid with zero point 0 whose highest value is <paramref name="absoluteMax"/>.</summary>
    public static QuantizationGrid Symmetric(float absoluteMax, int highest) =>
        new(Usable(absoluteMax / highest), 0, -highest, highest);

    /// <summary>As QuantizeLinear does it: divide, round half to even, add the zero point, saturate.</summary>
    public int Quantize(float value) => (int)Math.Clamp(MathF.Round(value / Scale, MidpointRounding.ToEven) + ZeroPoint, Lowest, Highest);

    public float Dequantize(int quantized) => (quantized - ZeroPoint) * Scale;

    public float Round(float value) => Dequantize(Quantize(value));

    /// <summary>A scale that kernels can divide by: 1 in place of zero and of subnormal numbers.</summary>
    internal static float Usable(float scale) => float.IsNormal(scale) ? scale : 1;
}
