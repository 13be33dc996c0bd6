using SamCompress.IR;

namespace SamCompress.Passes.Quantization.Emission;

/// <summary>Writes quantized Linears; see <see cref="QuantizePass"/> for the forms.</summary>
internal sealed class LinearEmitter(GraphEditor editor, ActivationEmitter activations, WeightEmitter weights)
{
    public void Emit(QuantizableLayer layer, LayerPlan plan)
    {
        if (plan.Form == LayerForm.IntegerOperator && plan.WeightBlock > 0)
            EmitFewBits(layer, plan);
        else if (plan.Form == LayerForm.IntegerOperator && plan.Execution == LayerExecution.Integer)
            EmitIntegerToFloat(layer, plan);
        else if (layer.Node.OpType == "Gemm" || plan.AddsAxis || IsTwin(plan))
            Lower(layer, plan);
        else
            ReplaceInputs(layer, plan);
    }

    private bool IsTwin(LayerPlan plan) => plan.Execution == LayerExecution.Integer && activations.Of(plan.Input).Twin is not null;

    /// <summary>Leaves the MatMul, and the Add behind it, as they are but for what they read.</summary>
    private void ReplaceInputs(QuantizableLayer layer, LayerPlan plan)
    {
        Node node = layer.Node;
        Value weight = weights.Dequantized(layer, plan, node);
        if (plan.Execution == LayerExecution.Integer)
            node.ReplaceInput(0, activations.Dequantized(plan.Input, node.Inputs[0]!, node));
        GraphEditor.ReplaceInput(node, 1, weight);
        if (plan.Execution == LayerExecution.Integer && layer.BiasAdd is { } add)
            GraphEditor.ReplaceInput(add, add.Input(0) == node.Output ? 1 : 0, Bias(plan, layer.Output.Name, plan.BiasRank));
    }

    /// <summary>Builds a Linear anew as MatMul and Add, with an axis added in front where that keeps them from becoming a float Gemm, and with two products of a twin.</summary>
    private void Lower(QuantizableLayer layer, LayerPlan plan)
    {
        Node node = layer.Node;
        string name = layer.Output.Name;
        bool isInteger = plan.Execution == LayerExecution.Integer, isTwin = IsTwin(plan);
        bool addsAxis = plan.AddsAxis || (isTwin && plan.BiasRank == 3 && (node.OpType == "Gemm" || node.Inputs[0]!.Shape is { Rank: 2 }));
        Value input = isInteger ? activations.Dequantized(plan.Input, node.Inputs[0]!, node, addsAxis) : node.Inputs[0]!;
        Value weight = weights.Dequantized(layer, plan, node);
        Value result = editor.Insert(node, "MatMul", [input, weight], name + "_product", node.Name);
        if (isTwin)
        {
            Value below = activations.Dequantized(plan.Input, node.Inputs[0]!, node, addsAxis, below: true);
            Value other = editor.Insert(node, "MatMul", [below, weight], name + "_product_below", Below(node.Name));
            result = editor.Insert(node, "Add", [result, other], name + "_products");
        }

        if (plan.Bias is not null)
            result = editor.Insert(node, "Add", [result, Bias(plan, name, isInteger ? plan.BiasRank : 1)], name + "_sum");
        if (addsAxis)
            result = editor.Insert(node, "Squeeze", [result, editor.Constant(name + "_axes", Tensor.Vector(0))], name + "_squeezed");
        editor.Replace(layer.Output, result, layer.BiasAdd, node);
    }

    private void EmitIntegerToFloat(QuantizableLayer layer, LayerPlan plan)
    {
        Node node = layer.Node;
        string name = layer.Output.Name;
        (Value weight, Value scales) = weights.Matrix(layer, plan);
        Value? bias = plan.Bias is null ? null : editor.Constant(name + "_bias", Tensor.Of((float[])[.. plan.Bias], plan.Bias.Count));
        Value result = Product(below: false, bias, name + "_product", node.Name);
        if (IsTwin(plan))
            result = editor.Insert(node, "Add", [result, Product(below: true, null, name + "_product_below", Below(node.Name))], name + "_sum");
        editor.Replace(layer.Output, result, layer.BiasAdd, node);

        Value Product(bool below, Value? addend, string stem, string nodeName)
        {
            QuantizedValue x = activations.Quantized(plan.Input, node.Inputs[0]!, node, below: below);
            Value?[] inputs = [x.Integers, weight, x.Scale, scales, x.ZeroPoint, null, addend];
            Value product = editor.InsertContributed(node, "MatMulIntegerToFloat", addend is null ? inputs[..5] : inputs, stem, nodeName);
            product.ElementType = ElementType.Float;
            product.Shape = layer.Node.Output.Shape;
            return product;
        }
    }

    private void EmitFewBits(QuantizableLayer layer, LayerPlan plan)
    {
        Node node = layer.Node;
        string name = layer.Output.Name;
        (Value weight, Value scales) = weights.Nibbles(layer, plan);
        Value?[] inputs = [node.Inputs[0], weight, scales];
        if (plan.Bias is not null)
            inputs = [.. inputs, null, null, editor.Constant(name + "_bias", Tensor.Of((float[])[.. plan.Bias], plan.Bias.Count))];
        Value result = editor.InsertContributed(
            node,
            "MatMulNBits",
            inputs,
            name + "_product",
            node.Name,
            NodeAttribute.Of("K", layer.InputChannels),
            NodeAttribute.Of("N", layer.OutputChannels),
            NodeAttribute.Of("bits", 4L),
            NodeAttribute.Of("block_size", plan.WeightBlock),
            NodeAttribute.Of("accuracy_level", plan.Execution == LayerExecution.Integer ? 4L : 0L));
        editor.Replace(layer.Output, result, layer.BiasAdd, node);
    }

    private Value Bias(LayerPlan plan, string stem, int rank)
    {
        float[] bias = [.. plan.Bias!];
        Tensor tensor = rank == 3 ? Tensor.Of(bias, 1, 1, bias.Length) : Tensor.Of(bias, bias.Length);
        return editor.Constant(stem + "_bias", tensor);
    }

    private static string Below(string name) => name.Length > 0 ? name + "_below" : "";
}
