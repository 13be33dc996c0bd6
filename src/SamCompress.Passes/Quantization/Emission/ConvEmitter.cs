using SamCompress.IR;

namespace SamCompress.Passes.Quantization.Emission;

/// <summary>Writes quantized convolutions; see <see cref="QuantizePass"/> for the forms.</summary>
internal sealed class ConvEmitter(GraphEditor editor, ActivationEmitter activations, WeightEmitter weights)
{
    public void Emit(QuantizableLayer layer, LayerPlan plan)
    {
        if (plan.Execution == LayerExecution.WeightOnly)
        {
            GraphEditor.ReplaceInput(layer.Node, 1, weights.Dequantized(layer, plan, layer.Node));
            return;
        }

        if (activations.Of(plan.Input).Twin is not null)
            throw new SamCompressException(FailureKind.InputRejected, $"the quantization plan gives two ranges to the input of the convolution '{plan.Name}'", "only inputs of Linears can have two");
        if (plan.Form == LayerForm.IntegerOperator && ConvPatches.Of(layer) is { } patches)
            EmitPatches(layer, plan, patches);
        else if (plan.Form == LayerForm.IntegerOperator)
            EmitInteger(layer, plan);
        else
            EmitQdq(layer, plan);
    }

    private void EmitQdq(QuantizableLayer layer, LayerPlan plan)
    {
        Node node = layer.Node;
        ActivationPlan? output = activations.Find(plan.NodeOutput) is { AtProducer: true } planned ? planned : null;
        float[] outputScales = [.. plan.OutputGrids.Select(g => g.Scale)];
        float[] weightScales = [.. plan.WeightScales.Select((s, c) => QuantizationGrid.Usable(outputScales.Length > 0 ? s / outputScales[c] : s))];
        Value weight = weights.Dequantized(layer, plan, node, weightScales);
        float inputScale = activations.Of(plan.Input).Grid.Scale;
        node.ReplaceInput(0, activations.Dequantized(plan.Input, node.Inputs[0]!, node));
        GraphEditor.ReplaceInput(node, 1, weight);
        if (plan.OutputGrids.Count > 0)
        {
            float[] bias = [.. plan.OutputGrids.Select((g, c) => ((plan.Bias?[c] ?? 0) / g.Scale) + g.ZeroPoint - Middle(g))];
            SetBias(node, IntegerBias(plan, bias, inputScale, weightScales, node));
            QuantizeChannels(node, plan.OutputGrids);
        }
        else if (plan.Bias is not null)
        {
            SetBias(node, output is null ? editor.Constant(plan.NodeOutput + "_bias", Tensor.Of((float[])[.. plan.Bias], plan.Bias.Count)) : IntegerBias(plan, plan.Bias, inputScale, weightScales, node));
        }

        if (plan.OutputGrids.Count == 0 && output is not null)
            activations.QuantizeAtProducer(node, output);
    }

    /// <summary>
    /// Quantizes the output, whose channels weights and bias have brought to a scale of one and a common zero point, and puts scale and zero point of each channel behind it.
    /// The scale is a Mul, not that of DequantizeLinear, because ONNX Runtime fuses a DequantizeLinear and an operator behind it to kernels that know one scale only.
    /// </summary>
    private void QuantizeChannels(Node node, IReadOnlyList<QuantizationGrid> grids)
    {
        Value old = node.Output;
        string stem = old.Name;
        Node? position = node.Next;
        ElementType type = grids[0].Lowest < 0 ? ElementType.Int8 : ElementType.UInt8;
        Value one = editor.Constant(stem + "_scale", Tensor.Scalar(1f));
        Value middle = editor.Constant(stem + "_zero_point", Tensor.FromBytes(type, [], [unchecked((byte)Middle(grids[0]))]));
        Value ones = editor.Constant(stem + "_channel_scale", Tensor.Of((float[])[.. grids.Select(_ => 1f)], grids.Count));
        Value zeroPoints = editor.Constant(stem + "_channel_zero_point", Tensor.FromBytes(type, [grids.Count], [.. grids.Select(g => unchecked((byte)g.ZeroPoint))]));
        Value scales = OfChannels(stem + "_channel_factor", [.. grids.Select(g => g.Scale)], RankOf(node));
        Value integers = editor.Insert(position, "QuantizeLinear", [old, one, middle], stem + "_quantized");
        integers.ElementType = type;
        integers.Shape = old.Shape;
        Value dequantized = editor.Insert(position, "DequantizeLinear", [integers, ones, zeroPoints], stem + "_dequantized", "", NodeAttribute.Of("axis", 1L));
        dequantized.ElementType = ElementType.Float;
        dequantized.Shape = old.Shape;
        Value scaled = editor.Insert(position, "Mul", [dequantized, scales], stem + "_scaled");
        scaled.ElementType = old.ElementType;
        scaled.Shape = old.Shape;
        editor.Substitute(old, scaled);
        integers.Producer!.ReplaceInput(0, old);
    }

    private void EmitPatches(QuantizableLayer layer, LayerPlan plan, ConvPatches patches)
    {
        Node node = layer.Node;
        string name = layer.Output.Name;
        (Value weight, Value scales) = weights.Patches(layer, plan);
        QuantizedValue x = activations.Quantized(plan.Input, node.Inputs[0]!, node);
        Value rows = patches.Emit(editor, node, x);
        Value?[] inputs = [rows, weight, x.Scale, scales, x.ZeroPoint];
        if (plan.Bias is not null)
            inputs = [.. inputs, null, editor.Constant(name + "_bias", Tensor.Of((float[])[.. plan.Bias], plan.Bias.Count))];
        Value product = editor.InsertContributed(node, "MatMulIntegerToFloat", inputs, name + "_product", node.Name);
        product.ElementType = ElementType.Float;
        product.Shape = rows.Shape is { } shape ? new Shape(shape.Take(3).Append(layer.OutputChannels)) : null;
        editor.Replace(layer.Output, editor.Insert(node, "Transpose", [product], name + "_channels_first", "", NodeAttribute.Of("perm", [0L, 3, 1, 2])), node);
    }

    private void EmitInteger(QuantizableLayer layer, LayerPlan plan)
    {
        Node node = layer.Node;
        string name = layer.Output.Name;
        int rank = RankOf(node);
        (Value weight, Value weightZero) = weights.UnsignedFilter(layer, plan);
        QuantizedValue x = activations.Quantized(plan.Input, node.Inputs[0]!, node);
        float inputScale = activations.Of(plan.Input).Grid.Scale;
        Value sum = editor.Insert(node, "ConvInteger", [x.Integers, weight, x.ZeroPoint, weightZero], name + "_accumulated", node.Name, node.Attributes);
        sum.ElementType = ElementType.Int32;
        sum.Shape = node.Output.Shape;
        Value result = editor.Insert(node, "Cast", [sum], name + "_cast", "", NodeAttribute.Of("to", (long)ElementType.Float));
        result.ElementType = ElementType.Float;
        result.Shape = node.Output.Shape;
        result = editor.Insert(node, "Mul", [result, OfChannels(name + "_scale", [.. plan.WeightScales.Select(s => s * inputScale)], rank)], name + "_scaled");
        result.ElementType = ElementType.Float;
        result.Shape = node.Output.Shape;
        if (plan.Bias is not null)
            result = editor.Insert(node, "Add", [result, OfChannels(name + "_bias", [.. plan.Bias], rank)], name + "_sum");
        editor.Replace(layer.Output, result, node);
    }

    /// <summary>The bias in units of input scale times weight scale, as a kernel adds it to its sums.</summary>
    private Value IntegerBias(LayerPlan plan, IReadOnlyList<float> bias, float inputScale, float[] weightScales, Node user)
    {
        int count = bias.Count;
        var scales = new float[count];
        var quantized = new int[count];
        for (int i = 0; i < count; i++)
        {
            scales[i] = QuantizationGrid.Usable(inputScale * weightScales[i]);
            quantized[i] = (int)Math.Clamp(Math.Round((double)bias[i] / scales[i], MidpointRounding.ToEven), int.MinValue, int.MaxValue);
        }

        string stem = plan.NodeOutput + "_bias";
        Value integers = editor.Constant(stem + "_quantized", Tensor.Of<int>(ElementType.Int32, quantized, [count]));
        Value scale = editor.Constant(stem + "_scale", Tensor.Of(scales, count));
        Value zeroPoint = editor.Constant(stem + "_zero_point", Tensor.Of<int>(ElementType.Int32, new int[count], [count]));
        Value result = editor.Insert(user, "DequantizeLinear", [integers, scale, zeroPoint], stem + "_dequantized", "", NodeAttribute.Of("axis", 0L));
        result.ElementType = ElementType.Float;
        result.Shape = integers.Shape;
        return result;
    }

    private static void SetBias(Node node, Value bias)
    {
        if (node.Inputs.Count < 3)
            node.ResizeInputs(3);
        GraphEditor.ReplaceInput(node, 2, bias);
    }

    private Value OfChannels(string stem, float[] values, int rank) =>
        editor.Constant(stem, Tensor.Of(values, [values.Length, .. Enumerable.Repeat(1L, rank - 2)]));

    private static int RankOf(Node node) => node.Inputs[1]!.Shape!.Rank;

    /// <summary>The zero point that all channels share until each gets its own.</summary>
    private static int Middle(QuantizationGrid grid) => grid.Lowest < 0 ? 0 : (grid.Highest + 1) / 2;
}
