using SamCompress.IR;

namespace SamCompress.Passes.Quantization;

/// <summary>A product of two activations in attention: queries by keys before the Softmax, or what it gives by values.</summary>
/// <param name="BehindSoftmax">Whether <paramref name="Left"/> comes from the Softmax, so that it lies between 0 and 1.</param>
public sealed record AttentionProduct(Node Node, Value Left, Value Right, bool BehindSoftmax)
{
    /// <summary>For selection and reports: the node's name, or else its output's.</summary>
    public string Name => Node.Name.Length > 0 ? Node.Name : Node.Output.Name;
}

/// <summary>
/// Finds MatMul(q, k) and MatMul(p, v) of two activations around a Softmax, in graph order. Between product and Softmax there may be what scales logits,
/// adds to them and reshapes them.
/// </summary>
public static class AttentionProductFinder
{
    private const int Farthest = 16;

    private static readonly string[] Between = ["Add", "Sub", "Mul", "Div", "Where", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Cast", "Identity", "Dropout"];

    public static IReadOnlyList<AttentionProduct> Find(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return [.. graph.Nodes.Select(Recognize).OfType<AttentionProduct>()];
    }

    private static AttentionProduct? Recognize(Node node)
    {
        if (!node.Is("MatMul") || node.Input(0) is not { Constant: null, ElementType: ElementType.Float or ElementType.Undefined } left || node.Input(1) is not { Constant: null } right)
            return null;
        if (ComesFromSoftmax(left))
            return new AttentionProduct(node, left, right, BehindSoftmax: true);
        return LeadsToSoftmax(node.Output, Farthest) ? new AttentionProduct(node, left, right, BehindSoftmax: false) : null;
    }

    private static bool ComesFromSoftmax(Value value)
    {
        Node? node = value.Producer;
        for (int i = 0; i < Farthest && node is not null && Between.Contains(node.OpType); i++)
            node = node.Input(0)?.Producer;
        return node is not null && node.Is("Softmax");
    }

    private static bool LeadsToSoftmax(Value value, int farthest) => farthest > 0 && value.Uses.Any(u =>
        u.Node.Is("Softmax") || (Between.Contains(u.Node.OpType) && u.Node.Outputs.Count > 0 && LeadsToSoftmax(u.Node.Output, farthest - 1)));
}
