using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>Recognizes what is added to the logits of a softmax: relative position terms and attention biases.</summary>
internal static class LogitsFlow
{
    private const int FarthestSearched = 12;

    /// <summary>Whether the value, moved around at will, is added to something that then becomes the input of a Softmax.</summary>
    public static bool ReachesSoftmaxByAddition(Value value) => Reaches(value, added: false, FarthestSearched);

    /// <summary>
    /// The elements that were trained. An exporter expands a table of 2n - 1 relative offsets to [n,n,d] and a table of |offsets| for each head
    /// to [heads,n,n]; those count as the tables they were.
    /// </summary>
    public static long TrainedElements(Value value, Tensor tensor)
    {
        if (tensor.Rank != 3 || value.Uses.Count == 0)
            return tensor.Count;
        (long a, long b, long c) = (tensor.Dimensions[0], tensor.Dimensions[1], tensor.Dimensions[2]);
        Node user = value.Uses[0].Node;
        if (a == b && user.OpType is "Einsum" or "MatMul" or "Transpose" && Reaches(user.Output, added: false, FarthestSearched))
            return ((2 * a) - 1) * c;
        bool isSquareGrid = Math.Round(Math.Sqrt(b)) is var side && side * side == b;
        if (b == c && isSquareGrid && user.OpType is "Add" or "Unsqueeze" or "Reshape" && Reaches(value, added: false, FarthestSearched))
            return a * b;
        return tensor.Count;
    }

    private static bool Reaches(Value value, bool added, int steps)
    {
        if (steps == 0)
            return false;
        foreach (Use use in value.Uses)
        {
            bool found = use.Node.OpType switch
            {
                "Softmax" => added,
                "Add" => Reaches(use.Node.Output, added: true, steps - 1),
                "Reshape" or "Unsqueeze" or "Squeeze" or "Expand" => use.InputIndex == 0 && Reaches(use.Node.Output, added, steps - 1),
                "Transpose" or "Cast" or "Identity" or "QuantizeLinear" or "DequantizeLinear" => use.InputIndex == 0 && Reaches(use.Node.Output, added, steps - 1),
                "Einsum" or "MatMul" => false,
                _ => false,
            };
            if (found)
                return true;
        }

        return false;
    }
}
