using SamCompress.IR;

namespace SamCompress.Passes.Quantization.Emission;

/// <summary>Stores quantized weights, each once however many layers read it in the same way.</summary>
internal sealed class WeightEmitter(GraphEditor editor)
{
    private enum Layout
    {
        Dequantized,
        Matrix,
        UnsignedFilter,
        Patches,
        Nibbles,
    }

    private readonly Dictionary<(string Weight, int Axis, Layout Layout), List<Stored>> _stored = [];

    /// <summary>The dequantized weight; that of a Linear is [K, N] however it was stored.</summary>
    /// <param name="scales">The scales to dequantize with, where they are not those of the plan.</param>
    public Value Dequantized(QuantizableLayer layer, LayerPlan plan, Node user, IReadOnlyList<float>? scales = null)
    {
        scales ??= plan.WeightScales;
        return Once(layer, plan, Layout.Dequantized, scales, () =>
        {
            Value result = plan.WeightBlock > 0 ? DequantizedBlocks(layer, plan, user) : DequantizedChannels(layer, plan, user, scales);
            result.ElementType = ElementType.Float;
            result.Shape = result.Producer!.Inputs[0]!.Shape;
            return (result, result);
        }).Item1;
    }

    /// <summary>The integers of a Linear as [K, N] and the scales of its outputs.</summary>
    public (Value Integers, Value Scales) Matrix(QuantizableLayer layer, LayerPlan plan) => Once(layer, plan, Layout.Matrix, plan.WeightScales, () =>
        (Integers(plan, WeightCodes.Signed(layer, plan, transpose: layer.WeightAxis == 0)), Scales(plan, plan.WeightScales, layer.OutputChannels)));

    /// <summary>The unsigned integers of a convolution and what stands for zero.</summary>
    public (Value Integers, Value ZeroPoint) UnsignedFilter(QuantizableLayer layer, LayerPlan plan) => Once(layer, plan, Layout.UnsignedFilter, plan.WeightScales, () =>
        (Integers(plan, WeightCodes.Unsigned(layer, plan)), editor.Constant(plan.WeightName + "_zero_point", Tensor.FromBytes(ElementType.UInt8, [], [WeightCodes.UnsignedZero]))));

    /// <summary>The integers of a Conv as a matrix whose rows are the positions of the kernel with their channels, and the scales of its outputs.</summary>
    public (Value Integers, Value Scales) Patches(QuantizableLayer layer, LayerPlan plan) => Once(layer, plan, Layout.Patches, plan.WeightScales, () =>
        (Integers(plan, WeightCodes.Patches(layer, plan)), Scales(plan, plan.WeightScales, layer.OutputChannels)));

    /// <summary>The 4-bit integers of a Linear as MatMulNBits reads them, and the scales of its blocks.</summary>
    public (Value Integers, Value Scales) Nibbles(QuantizableLayer layer, LayerPlan plan) => Once(layer, plan, Layout.Nibbles, plan.WeightScales, () =>
        (Integers(plan, WeightCodes.Nibbles(layer, plan)), Scales(plan, plan.WeightScales, layer.OutputChannels, WeightCodes.BlocksOf(layer, plan))));

    private Value DequantizedChannels(QuantizableLayer layer, LayerPlan plan, Node user, IReadOnlyList<float> scales)
    {
        bool isLinear = layer.Kind == LayerKind.Linear;
        int channels = scales.Count;
        Value weight = Integers(plan, WeightCodes.Signed(layer, plan, transpose: isLinear && layer.WeightAxis == 0));
        Value scale = Scales(plan, scales, channels);
        Value zeroPoint = editor.Constant(plan.WeightName + "_zero_point", Tensor.FromBytes(ElementType.Int8, [channels], new byte[channels]));
        return editor.Insert(
            user, "DequantizeLinear", [weight, scale, zeroPoint], plan.WeightName + "_dequantized", "", NodeAttribute.Of("axis", isLinear ? 1L : layer.WeightAxis));
    }

    private Value DequantizedBlocks(QuantizableLayer layer, LayerPlan plan, Node user)
    {
        int blocks = WeightCodes.BlocksOf(layer, plan);
        var scales = new float[plan.WeightScales.Count];
        WeightQuantizer.Transpose<float>([.. plan.WeightScales], layer.OutputChannels, blocks, scales);
        return editor.Insert(
            user,
            "DequantizeLinear",
            [Integers(plan, WeightCodes.SignedNibbles(layer, plan)), Scales(plan, scales, blocks, layer.OutputChannels)],
            plan.WeightName + "_dequantized",
            "",
            NodeAttribute.Of("axis", 0L),
            NodeAttribute.Of("block_size", plan.WeightBlock));
    }

    private Value Integers(LayerPlan plan, Tensor tensor) => editor.Constant(plan.WeightName + "_quantized", tensor);

    private Value Scales(LayerPlan plan, IReadOnlyList<float> scales, params ReadOnlySpan<long> dimensions) =>
        editor.Constant(plan.WeightName + "_scale", Tensor.Of((float[])[.. scales], dimensions));

    private (Value, Value) Once(QuantizableLayer layer, LayerPlan plan, Layout layout, IReadOnlyList<float> scales, Func<(Value, Value)> make)
    {
        if (!_stored.TryGetValue((plan.WeightName, layer.WeightAxis, layout), out List<Stored>? known))
            _stored.Add((plan.WeightName, layer.WeightAxis, layout), known = []);
        if (known.Find(s => s.Fits(plan, scales)) is { } same)
            return same.Values;
        var stored = new Stored(plan, scales, make());
        known.Add(stored);
        return stored.Values;
    }

    private sealed record Stored(LayerPlan Plan, IReadOnlyList<float> Scales, (Value, Value) Values)
    {
        public bool Fits(LayerPlan plan, IReadOnlyList<float> scales) =>
            Plan.WeightHighest == plan.WeightHighest && Plan.WeightBlock == plan.WeightBlock && Plan.WeightScales.SequenceEqual(plan.WeightScales)
            && Scales.SequenceEqual(scales) && (Plan.WeightCodes, plan.WeightCodes) switch
            {
                (null, null) => true,
                ({ } a, { } b) => a.Span.SequenceEqual(b.Span),
                _ => false,
            };
    }
}
