using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>Counts the multiply-accumulate operations of a node from the shapes of its inputs and outputs.</summary>
internal static class MacCounter
{
    /// <summary>Whether one operator multiplies queries with keys and probabilities with values.</summary>
    public static bool IsFusedAttention(Node node) => node.OpType is "MultiHeadAttention" or "Attention";

    public static bool IsConvolution(Node node) => node.OpType is "Conv" or "ConvTranspose" or "ConvInteger" or "QLinearConv" or "FusedConv";

    /// <summary>The two inputs that are multiplied, or null for an operator that is not counted.</summary>
    public static (Value? Left, Value? Right)? Operands(Node node) => node.OpType switch
    {
        "MatMul" or "Gemm" or "Conv" or "ConvTranspose" or "MatMulInteger" or "ConvInteger" or "MatMulIntegerToFloat" or "DynamicQuantizeMatMul"
            or "MatMulNBits" or "FusedMatMul" or "FusedGemm" or "FusedConv" => (node.Input(0), node.Input(1)),
        "MultiHeadAttention" or "Attention" => (node.Input(0), node.Input(1) ?? node.Input(0)),
        "QLinearMatMul" or "QLinearConv" or "QGemm" => (node.Input(0), node.Input(3)),
        "Einsum" when node.Inputs.Count == 2 => (node.Input(0), node.Input(1)),
        _ => null,
    };

    /// <summary>The number of operations, or null when a shape is not known.</summary>
    public static long? Count(Node node)
    {
        if (Operands(node) is not ({ } left, { } right))
            return null;
        return node.OpType switch
        {
            "MultiHeadAttention" => FusedAttention(node, left, right),
            "Attention" => node.Domain.Length == 0 ? FusedAttention(node, left, right) : null,
            "Einsum" => Einsum(node, left, right),
            "ConvTranspose" => Elements(left) * ElementsBeyond(right, 1),
            "Conv" or "ConvInteger" or "QLinearConv" or "FusedConv" => Elements(node.Output) * ElementsBeyond(right, 1),
            "Gemm" or "FusedGemm" or "QGemm" => Elements(node.Output) * Dimension(left, node.GetInt("transA", 0) != 0 ? 0 : 1),
            "FusedMatMul" => Elements(node.Output) * Dimension(left, node.GetInt("transA", 0) != 0 ? ^2 : ^1),
            _ => Elements(node.Output) * Dimension(left, ^1),
        };
    }

    /// <summary>
    /// Every query meets every key and every value: [B,S,H*d] or [B,H,S,d] with [B,L,H*d] or [B,H,L,d]. Columns that carry a position
    /// count with the head size. With a cache of earlier keys, or everything packed into one input, the number is not known.
    /// </summary>
    private static long? FusedAttention(Node node, Value query, Value key)
    {
        bool isOnnx = node.Domain.Length == 0;
        if (node.Input(2) is not { } value || node.Input(isOnnx ? 4 : 6) is not null)
            return null;
        if (query.Shape?.ToStatic() is not { Length: 3 or 4 } q || key.Shape?.ToStatic() is not { Length: 3 or 4 } k || value.Shape?.ToStatic() is not { Length: 3 or 4 } v)
            return null;
        long queryHeads = node.GetInt(isOnnx ? "q_num_heads" : "num_heads", q.Length == 4 ? q[1] : 0);
        long valueHeads = isOnnx ? node.GetInt("kv_num_heads", v.Length == 4 ? v[1] : 0) : queryHeads;
        if (queryHeads == 0 || valueHeads == 0)
            return null;
        long width = q.Length == 4 ? q[1] * q[3] : q[2];
        long valueWidth = (v.Length == 4 ? v[3] : v[2] / valueHeads) * queryHeads;
        return checked(q[0] * q[^2] * k[^2] * (width + valueWidth));
    }

    /// <summary>Every combination of the letters of the equation is one multiplication.</summary>
    private static long? Einsum(Node node, Value left, Value right)
    {
        string[] terms = node.GetString("equation", "").Replace(" ", "", StringComparison.Ordinal).Split("->")[0].Split(',');
        if (terms.Length != 2 || terms.Any(t => t.Contains('.', StringComparison.Ordinal)))
            return null;
        var sizes = new SortedDictionary<char, long>();
        foreach ((string term, Value operand) in new[] { (terms[0], left), (terms[1], right) })
        {
            if (operand.Shape?.ToStatic() is not { } shape || shape.Length != term.Length)
                return null;
            for (int i = 0; i < shape.Length; i++)
                sizes[term[i]] = shape[i];
        }

        return sizes.Values.Aggregate(1L, (product, size) => checked(product * size));
    }

    private static long? Elements(Value value) => value.Shape?.ElementCount;

    private static long? Dimension(Value value, Index axis) =>
        value.Shape is { Rank: > 0 } shape && axis.GetOffset(shape.Rank) is >= 0 and var i && i < shape.Rank ? shape[i].Value : null;

    /// <summary>The elements of one slice along the first axis.</summary>
    private static long? ElementsBeyond(Value value, int axis) =>
        value.Shape?.ToStatic() is { } shape ? shape.Skip(axis).Aggregate(1L, (product, size) => checked(product * size)) : null;
}
