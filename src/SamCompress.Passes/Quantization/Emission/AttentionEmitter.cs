using SamCompress.IR;

namespace SamCompress.Passes.Quantization.Emission;

/// <summary>Writes quantized products of two activations; see <see cref="QuantizePass"/> for the forms.</summary>
internal sealed class AttentionEmitter(GraphEditor editor, ActivationEmitter activations)
{
    /// <param name="node">A MatMul whose two inputs the plan quantizes.</param>
    public void Emit(Node node, LayerPlan plan)
    {
        if (activations.Of(plan.SecondInput!).Twin is not null)
            throw new SamCompressException(FailureKind.InputRejected, $"the quantization plan gives two ranges to the second factor of '{plan.Name}'", "only its first factor can have two");
        bool isTwin = activations.Of(plan.Input).Twin is not null;
        if (plan.Form == LayerForm.Qdq && !isTwin)
        {
            node.ReplaceInput(0, activations.Dequantized(plan.Input, node.Inputs[0]!, node));
            node.ReplaceInput(1, activations.Dequantized(plan.SecondInput!, node.Inputs[1]!, node));
            return;
        }

        Value old = node.Output;
        Value result = Product(node, plan, below: false, old.Name + "_product", node.Name);
        if (isTwin)
        {
            Value other = Product(node, plan, below: true, old.Name + "_product_below", node.Name.Length > 0 ? node.Name + "_below" : "");
            result = editor.Insert(node, "Add", [result, other], old.Name + "_sum");
        }

        editor.Replace(old, result, node);
    }

    private Value Product(Node node, LayerPlan plan, bool below, string stem, string nodeName)
    {
        Value result;
        if (plan.Form == LayerForm.Qdq)
        {
            Value left = activations.Dequantized(plan.Input, node.Inputs[0]!, node, below: below);
            Value right = activations.Dequantized(plan.SecondInput!, node.Inputs[1]!, node);
            result = editor.Insert(node, "MatMul", [left, right], stem, nodeName);
        }
        else
        {
            QuantizedValue left = activations.Quantized(plan.Input, node.Inputs[0]!, node, below: below);
            QuantizedValue right = activations.Quantized(plan.SecondInput!, node.Inputs[1]!, node);
            result = editor.InsertContributed(
                node, "MatMulIntegerToFloat", [left.Integers, right.Integers, left.Scale, right.Scale, left.ZeroPoint, right.ZeroPoint], stem, nodeName);
        }

        result.ElementType = ElementType.Float;
        result.Shape = node.Output.Shape;
        return result;
    }
}
