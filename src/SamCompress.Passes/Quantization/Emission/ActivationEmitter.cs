using SamCompress.IR;

namespace SamCompress.Passes.Quantization.Emission;

/// <summary>A quantized activation with its scale and zero point, which are scalars.</summary>
internal readonly record struct QuantizedValue(Value Integers, Value Scale, Value ZeroPoint);

/// <summary>
/// Makes the quantized form of activations, each once however many layers read it. Where the grid has fewer levels than the type, as 6 bits in 8,
/// the value is clipped before it is quantized, for QuantizeLinear saturates at the bounds of the type only.
/// </summary>
internal sealed class ActivationEmitter(GraphEditor editor, IReadOnlyList<ActivationPlan> activations)
{
    private readonly Dictionary<string, ActivationPlan> _plans = activations.ToDictionary(a => a.Value, StringComparer.Ordinal);
    private readonly Dictionary<(string Value, bool AddedAxis, bool Below), QuantizedValue> _quantized = [];
    private readonly Dictionary<(string Value, bool AddedAxis, bool Below), Value> _dequantized = [];

    private readonly Dictionary<string, Value> _unsqueezed = new(StringComparer.Ordinal);

    public ActivationPlan? Find(string value) => _plans.GetValueOrDefault(value);

    /// <exception cref="SamCompressException">The plan says nothing about the value.</exception>
    public ActivationPlan Of(string value) =>
        Find(value) ?? throw new SamCompressException(FailureKind.InputRejected, $"the quantization plan is not complete: it holds nothing about the activation '{value}'");

    /// <summary>The integers of an activation. Those of a twin have two parts.</summary>
    /// <param name="value">The activation as the layer reads it: by another name where it was quantized before.</param>
    /// <param name="user">The node before which they are made.</param>
    /// <param name="below">Whether the part of a twin under the threshold is meant.</param>
    public QuantizedValue Quantized(string planName, Value value, Node user, bool addAxis = false, bool below = false)
    {
        if (_quantized.TryGetValue((planName, addAxis, below), out QuantizedValue known))
            return known;
        ActivationPlan plan = Of(planName);
        Value source = addAxis ? AddAxis(planName, value, user) : value;
        if (plan.Twin is { } twin && !below && twin.Threshold != 0)
        {
            Value threshold = editor.Constant(planName + "_threshold", Tensor.Scalar(twin.Threshold));
            source = Like(source, editor.Insert(user, "Sub", [source, threshold], planName + "_above"));
        }

        QuantizedValue quantized = Quantize(user, source, plan, below ? plan.Twin!.Below : plan.Grid, below ? planName + "_below" : planName);
        _quantized.Add((planName, addAxis, below), quantized);
        return quantized;
    }

    /// <summary>The value behind Q and DQ.</summary>
    /// <inheritdoc cref="Quantized"/>
    public Value Dequantized(string planName, Value value, Node user, bool addAxis = false, bool below = false)
    {
        if (_dequantized.TryGetValue((planName, addAxis, below), out Value? known))
            return known;
        QuantizedValue quantized = Quantized(planName, value, user, addAxis, below);
        Value result = Dequantize(user, quantized, below ? planName + "_below" : planName);
        _dequantized.Add((planName, addAxis, below), result);
        return result;
    }

    /// <summary>Puts Q and DQ behind a node, for all who read its output.</summary>
    public void QuantizeAtProducer(Node node, ActivationPlan plan)
    {
        Value old = node.Output;
        ElementType type = old.ElementType;
        Shape? shape = old.Shape;
        Node? position = node.Next;
        QuantizedValue quantized = Quantize(position, old, plan, plan.Grid, plan.Value);
        Value dequantized = Dequantize(position, quantized, plan.Value);
        Node first = quantized.Integers.Producer!.Inputs[0] == old ? quantized.Integers.Producer : quantized.Integers.Producer.Inputs[0]!.Producer!;
        editor.Substitute(old, dequantized);
        first.ReplaceInput(0, old);
        dequantized.ElementType = type;
        dequantized.Shape = shape;
        _quantized[(plan.Value, false, false)] = quantized;
        _dequantized[(plan.Value, false, false)] = dequantized;
    }

    /// <summary>Takes away the dequantizations that nothing came to read, for the integers were read instead.</summary>
    public void RemoveUnused()
    {
        foreach (Value dequantized in _dequantized.Values)
            GraphEditor.RemoveIfUnused(dequantized, "DequantizeLinear");
    }

    private Value AddAxis(string stem, Value value, Node user)
    {
        if (_unsqueezed.TryGetValue(stem, out Value? known))
            return known;
        Value axes = editor.Constant(stem + "_axes", Tensor.Vector(0));
        Value result = editor.Insert(user, "Unsqueeze", [value, axes], stem + "_unsqueezed");
        result.ElementType = value.ElementType;
        result.Shape = value.Shape is { } shape ? new Shape(shape.Prepend(1)) : null;
        _unsqueezed.Add(stem, result);
        return result;
    }

    private QuantizedValue Quantize(Node? position, Value value, ActivationPlan plan, QuantizationGrid grid, string stem)
    {
        bool isSigned = plan.ElementType == ElementType.Int8;
        if (IsNarrower(grid, isSigned))
        {
            Value min = editor.Constant(stem + "_min", Tensor.Scalar(grid.Min));
            Value max = editor.Constant(stem + "_max", Tensor.Scalar(grid.Max));
            value = Like(value, editor.Insert(position, "Clip", [value, min, max], stem + "_clipped"));
        }

        Value scale = editor.Constant(stem + "_scale", Tensor.Scalar(grid.Scale));
        Value zeroPoint = editor.Constant(stem + "_zero_point", Tensor.FromBytes(plan.ElementType, [], [unchecked((byte)grid.ZeroPoint)]));
        Value integers = editor.Insert(position, "QuantizeLinear", [value, scale, zeroPoint], stem + "_quantized");
        integers.ElementType = plan.ElementType;
        integers.Shape = value.Shape;
        return new QuantizedValue(integers, scale, zeroPoint);
    }

    private Value Dequantize(Node? position, QuantizedValue quantized, string stem)
    {
        Value result = editor.Insert(position, "DequantizeLinear", [quantized.Integers, quantized.Scale, quantized.ZeroPoint], stem + "_dequantized");
        result.ElementType = ElementType.Float;
        result.Shape = quantized.Integers.Shape;
        return result;
    }

    /// <summary>A symmetric grid of 8 bits leaves out -128; what saturates there is rounded better, not worse.</summary>
    private static bool IsNarrower(QuantizationGrid grid, bool isSigned) =>
        isSigned ? grid.Lowest > -127 || grid.Highest < sbyte.MaxValue : grid.Lowest > 0 || grid.Highest < byte.MaxValue;

    private static Value Like(Value source, Value result)
    {
        result.ElementType = source.ElementType;
        result.Shape = source.Shape;
        return result;
    }
}
