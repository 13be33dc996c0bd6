using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>
/// q = clip(round(x / s) + z): straight through, dx = dq where q was not clipped and 0 where it was. The gradient of an integer that stands for a real number is
/// that of the real number.
/// </summary>
/// <remarks>Y. Bengio et al., arXiv 1308.3432. Guards: constant scale and zero point, of the whole tensor or of an axis, which are not trained; integers.</remarks>
public sealed class QuantizeLinearGradient() : GradientRule("QuantizeLinear")
{
    public override void Backward(GradientScope scope)
    {
        QuantizeGuards.Check(scope);
        long[] shape = scope.ShapeOf(0), scales = scope.ShapeOf(1);
        if (scope.Node.Input(1)!.Constant is not { } scale || scope.Node.Input(2) is { Constant: null })
            throw scope.Refuse("its scale is not constant");
        (double least, double most) = Range(scope.Node.Output.ElementType) ?? throw scope.Refuse($"{scope.Node.Output.ElementType.TextName()} is no integer type known here");
        long axis = scope.Node.GetInt("axis", 1);
        long[] along = [scales.Aggregate(1L, (product, d) => product * d), .. Enumerable.Repeat(1L, scales.Length == 0 ? 0 : shape.Length - 1 - (int)(axis < 0 ? axis + shape.Length : axis))];
        Value low = Bound(least - 0.5), high = Bound(most + 0.5);
        Value inside = scope.Graph.Op("And", [scope.Graph.Op("GreaterOrEqual", [scope.Input(0), low]), scope.Graph.Op("LessOrEqual", [scope.Input(0), high])]);
        scope.Give(0, scope.Graph.Op("Where", [inside, scope.OutputGradient, scope.Scalar(0, scope.OutputGradient)]));

        Value Bound(double integer) => ConstantMatrix.Of(scope, scales.Length == 0 ? [] : along, bounds =>
        {
            double[] factors = QuantizeGuards.Reals(scale);
            long[]? zeros = scope.Node.Input(2)?.Constant!.ToInt64s();
            for (int i = 0; i < bounds.Length; i++)
                bounds[i] = (integer - (zeros?[i] ?? 0)) * factors[i];
        }, scope.Node.Input(0)!);
    }

    private static (double Least, double Most)? Range(ElementType type) => type switch
    {
        ElementType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        ElementType.UInt8 => (byte.MinValue, byte.MaxValue),
        ElementType.Int16 => (short.MinValue, short.MaxValue),
        ElementType.UInt16 => (ushort.MinValue, ushort.MaxValue),
        _ => null,
    };
}

/// <summary>x = (q - z) s: the gradient of q, as that of the real number that it stands for, is dx.</summary>
/// <remarks>Guards: as <see cref="QuantizeLinearGradient"/>.</remarks>
public sealed class DequantizeLinearGradient() : GradientRule("DequantizeLinear")
{
    public override void Backward(GradientScope scope)
    {
        QuantizeGuards.Check(scope);
        scope.Give(0, scope.OutputGradient);
    }
}

/// <summary>What both operators ask for.</summary>
internal static class QuantizeGuards
{
    public static void Check(GradientScope scope)
    {
        if (scope.Wants(1))
            throw scope.Refuse("its scale would be trained");
        if (scope.Node.GetInt("block_size", 0) != 0)
            throw scope.Refuse("its scales are those of blocks");
    }

    public static double[] Reals(Tensor tensor) => tensor.ElementType == ElementType.Double ? tensor.ToArray<double>() : Array.ConvertAll(tensor.ToArray<float>(), e => (double)e);
}
