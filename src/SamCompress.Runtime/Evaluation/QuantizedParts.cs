using SamCompress.IR;

namespace SamCompress.Runtime.Evaluation;

/// <summary>A QuantizeLinear of an activation in an artifact, with one scale for the tensor.</summary>
/// <param name="Entry">The node that the float value goes into: a Clip in front of the quantizer, or the quantizer itself.</param>
/// <param name="Lowest">The least code that can come out, by the element type and the Clip.</param>
/// <param name="Readers">The multiplications with a constant that read the quantized value; empty where something else does.</param>
internal sealed record QuantizerNode(Node Quantize, Node Entry, float Scale, int ZeroPoint, int Lowest, int Highest, IReadOnlyList<Node> Readers)
{
    public Value Source => Entry.Input(0)!;

    /// <summary>The value by which the quantizer's effect is seen when nothing multiplies it: dequantized, or as it is.</summary>
    public Value Result => Quantize.Output.Uses.Where(u => u.InputIndex == 0 && u.Node.OpType == "DequantizeLinear").Select(u => u.Node.Output).FirstOrDefault() ?? Quantize.Output;

    public float Value(double code) => (float)((code - ZeroPoint) * Scale);
}

/// <summary>A multiplication with a quantized weight.</summary>
/// <param name="Weight">The stored integers.</param>
/// <param name="ChannelAxis">The axis of the output channels in them.</param>
internal sealed record WeightNode(Node Multiply, Value Weight, int ChannelAxis);

/// <summary>Finds what is quantized in an artifact, in every form in which it may be written.</summary>
/// <remarks>
/// Activations: [Clip ->] QuantizeLinear [-> DequantizeLinear] -> MatMul, Gemm, Conv, ConvTranspose, MatMulIntegerToFloat, MatMulInteger, ConvInteger,
/// the QLinear operators, or anything else. Weights: an integer initializer, with or without DequantizeLinear and Transpose, or that of MatMulNBits.
/// </remarks>
internal static class QuantizedParts
{
    /// <summary>What a float value may pass on its way to its quantizer.</summary>
    private static readonly string[] Carriers = ["Clip", "Unsqueeze", "Squeeze", "Reshape", "Transpose", "Identity", "Mul", "Div", "Min", "Max"];

    private const int MostCarriers = 6;

    /// <summary>The inputs that hold activation and weight, or null for what is no multiplication.</summary>
    public static (int Activation, int Weight)? Operands(Node node) => node.OpType switch
    {
        "MatMul" or "Gemm" or "Conv" or "ConvTranspose" or "MatMulIntegerToFloat" or "MatMulInteger" or "ConvInteger" or "DynamicQuantizeMatMul" or "MatMulNBits" => (0, 1),
        "QLinearConv" or "QLinearMatMul" or "QGemm" => (0, 3),
        _ => null,
    };

    /// <summary>Every quantizer of an activation; null in place of one whose scale is no constant number.</summary>
    public static IEnumerable<(Node Quantize, QuantizerNode? Found)> Quantizers(Graph graph) =>
        graph.Nodes.Where(n => n.OpType == "QuantizeLinear" && n.Input(0) is { } input && ConstantUnder(input) is null).Select(n => (n, Recognize(n)));

    /// <summary>Every multiplication with a quantized weight.</summary>
    public static IEnumerable<WeightNode> Weights(Graph graph) => graph.Nodes.Select(RecognizeWeight).OfType<WeightNode>();

    /// <summary>The names under which a plan may know what a quantizer quantizes, nearest first.</summary>
    public static IEnumerable<string> Sources(Node quantize)
    {
        Value? value = quantize.Input(0);
        for (int i = 0; value is not null && i < MostCarriers; i++)
        {
            yield return value.Name;
            value = value.Producer is { } producer && Carriers.Contains(producer.OpType)
                ? producer.Inputs.FirstOrDefault(v => v is not null && v.Constant is null)
                : null;
        }
    }

    /// <summary>Whether what a multiplication reads was quantized, or is quantized by itself.</summary>
    public static bool TakesQuantized(Node multiply)
    {
        if (multiply.OpType is "MatMulIntegerToFloat" or "MatMulInteger" or "ConvInteger" or "DynamicQuantizeMatMul" or "QLinearConv" or "QLinearMatMul" or "QGemm")
            return true;
        Value? value = multiply.Input(Operands(multiply)!.Value.Activation);
        for (int i = 0; i < MostCarriers && value?.Producer is { } producer; i++)
        {
            if (producer.OpType == "DequantizeLinear")
                return true;
            if (producer.OpType is not ("Unsqueeze" or "Squeeze" or "Reshape" or "Transpose" or "Identity"))
                return false;
            value = producer.Input(0);
        }

        return false;
    }

    /// <summary>The shape that a multiplication can take as its activation, as small as may be.</summary>
    public static long[]? SmallInput(Node multiply)
    {
        const long rows = 2;
        if (multiply.OpType == "MatMulNBits")
            return [1, rows, multiply.GetInt("K", 0)];
        (_, int place) = Operands(multiply)!.Value;
        if (multiply.Input(place) is not { } weight || DimensionsOf(weight) is not { } dimensions)
            return null;
        switch (multiply.OpType)
        {
            case "Gemm" or "QGemm":
                return dimensions.Count == 2 ? [rows, dimensions[multiply.GetInt("transB", 0) != 0 ? 1 : 0]] : null;
            case "Conv" or "ConvInteger" or "QLinearConv":
                IReadOnlyList<long>? dilations = multiply.GetInts("dilations");
                return [1, dimensions[1] * multiply.GetInt("group", 1), .. dimensions.Skip(2).Select((k, i) => ((k - 1) * (dilations?[i] ?? 1)) + 1)];
            case "ConvTranspose":
                return [1, dimensions[0], .. dimensions.Skip(2).Select(_ => 1L)];
            default:
                return dimensions.Count >= 2 ? [1, rows, dimensions[^2]] : null;
        }
    }

    private static QuantizerNode? Recognize(Node quantize)
    {
        if (quantize.Input(1)?.Constant is not { Count: 1, ElementType: ElementType.Float } scale)
            return null;
        Tensor? zero = quantize.Input(2)?.Constant;
        if (quantize.Input(2) is not null && zero is not { Count: 1 })
            return null;
        (int lowest, int highest) = (zero?.ElementType ?? ElementType.UInt8) switch
        {
            ElementType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
            ElementType.UInt8 => (byte.MinValue, byte.MaxValue),
            ElementType.Int16 => (short.MinValue, short.MaxValue),
            ElementType.UInt16 => (ushort.MinValue, ushort.MaxValue),
            _ => (0, 0),
        };
        if (lowest == highest)
            return null;
        int zeroPoint = zero is null ? 0 : (int)zero.ToInt64s()[0];
        double step = scale.ScalarOrNull()!.Value;
        Node entry = quantize;
        if (quantize.Input(0)!.Producer is { OpType: "Clip" } clip && !clip.Output.IsGraphOutput && clip.Output.Uses.Count == 1 && Bounds(clip) is { } bounds)
        {
            entry = clip;
            lowest = (int)Math.Max(lowest, Math.Round(bounds.Least / step, MidpointRounding.ToEven) + zeroPoint);
            highest = (int)Math.Min(highest, Math.Round(bounds.Most / step, MidpointRounding.ToEven) + zeroPoint);
        }

        Node[] readers =
        [
            .. quantize.Output.Uses.SelectMany(u => u.Node.OpType == "DequantizeLinear" && u.InputIndex == 0 ? u.Node.Output.Uses : [u])
                .Where(u => Operands(u.Node) is { } o && o.Activation == u.InputIndex && u.Node.Graph == quantize.Graph && OthersAreConstant(u.Node, u.InputIndex))
                .Select(u => u.Node).Distinct(),
        ];
        return new QuantizerNode(quantize, entry, (float)step, zeroPoint, lowest, highest, readers);
    }

    private static (double Least, double Most)? Bounds(Node clip)
    {
        (Value? least, Value? most) = (clip.Input(1), clip.Input(2));
        if ((least is not null && least.Constant is null) || (most is not null && most.Constant is null))
            return null;
        return (least?.Constant!.ScalarOrNull() ?? double.NegativeInfinity, most?.Constant!.ScalarOrNull() ?? double.PositiveInfinity);
    }

    private static WeightNode? RecognizeWeight(Node node)
    {
        if (Operands(node) is not { } operands || node.Input(operands.Weight) is not { } operand || ConstantUnder(operand) is not { } weight)
            return null;
        if (weight.Constant!.ElementType is not (ElementType.Int8 or ElementType.UInt8 or ElementType.Int4 or ElementType.UInt4 or ElementType.Int2 or ElementType.UInt2))
            return null;
        if (!OthersAreConstant(node, operands.Activation))
            return null;
        int axis = node.OpType switch
        {
            "Conv" or "ConvInteger" or "QLinearConv" or "MatMulNBits" => 0,
            "ConvTranspose" => 1,
            _ => weight.Constant.Rank - 1,
        };
        bool isTurned = operand.Producer?.OpType == "Transpose" || operand.Producer?.Input(0)?.Producer?.OpType == "Transpose" || node.GetInt("transB", 0) != 0;
        return new WeightNode(node, weight, isTurned ? 0 : axis);
    }

    /// <summary>Whether only the activation decides what comes out. The scale that a dynamic quantizer gives goes with it.</summary>
    private static bool OthersAreConstant(Node node, int activation) => Enumerable.Range(0, node.Inputs.Count).All(i =>
        i == activation || node.Inputs[i] is not { } input || ConstantUnder(input) is not null || input.Producer?.OpType == "DynamicQuantizeLinear");

    /// <summary>The initializer that a value is made of, by operators that only carry or dequantize it; null for what is computed.</summary>
    private static Value? ConstantUnder(Value value) => value.Constant is not null
        ? value
        : value.Producer is { OpType: "DequantizeLinear" or "Transpose" or "Identity" } producer && producer.Input(0) is { } input
            && producer.Inputs.Skip(1).All(i => i is null || i.Constant is not null) ? ConstantUnder(input) : null;

    private static IReadOnlyList<long>? DimensionsOf(Value value)
    {
        if (value.Constant is { } tensor)
            return tensor.Dimensions;
        if (value.Producer is not { } producer || producer.Input(0) is not { } input || DimensionsOf(input) is not { } dimensions || producer.OpType is not "Transpose")
            return value.Producer?.Input(0) is { } inner ? DimensionsOf(inner) : null;
        IEnumerable<long> order = producer.GetInts("perm") ?? Enumerable.Range(0, dimensions.Count).Select(i => (long)i).Reverse();
        return [.. order.Select(i => dimensions[(int)i])];
    }
}
