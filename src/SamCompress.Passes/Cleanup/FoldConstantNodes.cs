using SamCompress.IR;

namespace SamCompress.Passes.Cleanup;

/// <summary>Makes initializers of Constant nodes, under the same names: Constant {value} => initializer.</summary>
/// <remarks>Exact. A Constant that is itself a graph output stays, as do sparse constants.</remarks>
public sealed class FoldConstantNodes : Pass
{
    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        foreach (Graph graph in Constants.GraphsOf(model))
        {
            foreach (Node node in graph.Nodes)
            {
                if (!node.Is("Constant") || node.Output.IsGraphOutput || TensorOf(node) is not { } tensor || !context.Step(node, "becomes an initializer"))
                    continue;
                Constants.Replace(node.Output, tensor);
                graph.Remove(node);
                changes++;
            }
        }

        return changes;
    }

    private static Tensor? TensorOf(Node node)
    {
        if (node.Attributes is not [var attribute] || attribute.Reference.Length > 0)
            return null;
        return attribute.Name switch
        {
            "value" => attribute.Tensor,
            "value_int" => Tensor.Scalar(attribute.Int),
            "value_ints" => Tensor.Vector([.. attribute.Ints]),
            "value_float" => Tensor.Scalar(attribute.Float),
            "value_floats" => Tensor.Of([.. attribute.Floats], attribute.Floats.Count),
            "value_string" => Tensor.OfStrings([attribute.String]),
            "value_strings" => Tensor.OfStrings(attribute.Strings, attribute.Strings.Count),
            _ => null,
        };
    }
}
