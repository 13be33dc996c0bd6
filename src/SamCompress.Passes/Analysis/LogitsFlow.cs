using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>Recognizes what ends in the logits of an attention: relative position terms and attention biases.</summary>
internal sealed class LogitsFlow(ConstantFlow constants)
{
    private const int FarthestSearched = 12;

    /// <summary>
    /// A product with a constant that differs along its batch, whose result is added to the logits of a Softmax or of a fused attention,
    /// or stands beside the columns of a query: [query | position] times [key | one-hot] adds it too.
    /// </summary>
    public bool IsPositionProduct(Node node) =>
        node.OpType is "MatMul" or "FusedMatMul" or "Einsum"
        && Table(node) is { Shape: { Rank: >= 3 } shape }
        && shape.Take(shape.Rank - 2).Any(d => d.Value != 1)
        && Reaches(node.Output, added: false, FarthestSearched);

    /// <summary>A product of such columns, of rows and of columns of a map, with a basis of the keys, whose result is added to logits.</summary>
    public bool IsBasisProduct(Node node) =>
        node.OpType == "MatMul"
        && node.Input(1) is { Shape.Rank: 2 } basis && constants.IsConstant(basis)
        && node.Output.Uses is [{ Node: { OpType: "Add" } sum }] && sum.Output.Uses is [{ Node.OpType: "Softmax" }]
        && BehindReshapes(node.Input(0)!) is { OpType: "Concat" or "Add", Inputs: [{ Producer: { OpType: "Einsum" } rows }, { Producer: { OpType: "Einsum" } columns }] }
        && Table(rows) is not null && Table(columns) is not null;

    /// <summary>
    /// The elements that were trained. An exporter expands a table of 2n - 1 relative offsets to [n,n,d] and a table of |offsets| for each head
    /// to [heads,n,n]; those count as the tables they were.
    /// </summary>
    public long TrainedElements(Value value, Tensor tensor)
    {
        if (tensor.Rank == 2 && Reader(value) is { } product && IsBasisProduct(product))
            return 0;
        if (tensor.Rank < 3)
            return tensor.Count;
        if (Reader(value) is { } reader && IsPositionProduct(reader))
            return Positions(reader) is { } n && tensor.Count % (n * n) == 0 ? tensor.Count / (n * n) * ((2 * n) - 1) : tensor.Count;
        long tokens = tensor.Dimensions[^1];
        bool isSquareGrid = tokens == tensor.Dimensions[^2] && Math.Round(Math.Sqrt(tokens)) is var side && side * side == tokens;
        return isSquareGrid && Reaches(value, added: false, FarthestSearched) ? tensor.Count / tokens : tensor.Count;
    }

    /// <summary>The first node that uses the value, or what constants become of it, together with data.</summary>
    public Node? Reader(Value value)
    {
        Node? reader = value.Uses.Count > 0 ? value.Uses[0].Node : null;
        while (reader is not null && constants.IsConstant(reader))
            reader = reader.Outputs.FirstOrDefault(o => o is { Uses.Count: > 0 })?.Uses[0].Node;
        return reader;
    }

    /// <summary>The constant operand of a product of a constant and an activation, else null.</summary>
    private Value? Table(Node product) => MacCounter.Operands(product) is ({ } left, { } right) && constants.IsConstant(left) != constants.IsConstant(right)
        ? constants.IsConstant(left) ? left : right
        : null;

    /// <summary>The n of a table [n,n,d] that holds a row for each pair of positions, however its axes are ordered; null for another table.</summary>
    private long? Positions(Node product)
    {
        Value table = Table(product)!;
        if (table.Shape?.ToStatic() is not { } shape)
            return null;
        (long? batch, long? pairs) = (shape[^3], shape[table == product.Input(0) ? ^2 : ^1]);
        if (product.OpType == "Einsum")
        {
            string[] terms = product.GetString("equation", "").Replace(" ", "", StringComparison.Ordinal).Split("->");
            string[] operands = terms[0].Split(',');
            if (terms.Length != 2 || operands.Length != 2)
                return null;
            (string own, string other) = table == product.Input(0) ? (operands[0], operands[1]) : (operands[1], operands[0]);
            batch = Size(own.Where(c => terms[1].Contains(c) && other.Contains(c)));
            pairs = Size(own.Where(c => terms[1].Contains(c) && !other.Contains(c)));
            long? Size(IEnumerable<char> letters) => letters.ToArray() is [var one] && own.IndexOf(one) is var axis && axis < shape.Length ? shape[axis] : null;
        }
        else if (table != product.Input(0) && product.GetInt("transB", 0) != 0)
        {
            pairs = shape[^2];
        }

        return batch == pairs ? batch : null;
    }

    /// <summary>Whether the value, moved and scaled at will, is added to logits or put beside a query.</summary>
    private bool Reaches(Value value, bool added, int steps)
    {
        return steps > 0 && value.Uses.Any(use => use.Node.OpType switch
        {
            "Softmax" => added,
            "MultiHeadAttention" => use.InputIndex == 5,
            "Attention" => use.InputIndex == (use.Node.Domain.Length == 0 ? 3 : 5),
            "Add" => Reaches(use.Node.Output, added: true, steps - 1) || ReachesBasis(use.Node.Output),
            "Concat" => !added && (ReachesQuery(use.Node.Output, steps - 1) || ReachesBasis(use.Node.Output)),
            "Scan" => use.Node.Subgraphs.First().Inputs is var inputs && use.InputIndex < inputs.Count && Reaches(inputs[use.InputIndex], added, steps - 1),
            _ => Carries(use) && Reaches(use.Node.Output, added, steps - 1),
        });
    }

    private bool ReachesBasis(Value columns) => columns.Uses.Any(use => use.Node.OpType == "Reshape" ? ReachesBasis(use.Node.Output) : IsBasisProduct(use.Node));

    private static Node? BehindReshapes(Value value)
    {
        while (value.Producer is { OpType: "Reshape" } reshape)
            value = reshape.Input(0)!;
        return value.Producer;
    }

    private bool ReachesQuery(Value value, int steps) => steps > 0 && value.Uses.Any(use =>
        MacCounter.IsFusedAttention(use.Node) ? use.InputIndex == 0
        : MacCounter.Operands(use.Node) is ({ } left, { } right) ? !constants.IsConstant(left) && !constants.IsConstant(right)
        : Carries(use) && ReachesQuery(use.Node.Output, steps - 1));

    /// <summary>Whether the output is the input, moved, scaled by a constant, or in another type.</summary>
    private bool Carries(Use use) => use.Node.OpType switch
    {
        "Reshape" or "Unsqueeze" or "Squeeze" or "Expand" or "Transpose" or "Cast" or "Identity" or "QuantizeLinear" or "DequantizeLinear" => use.InputIndex == 0,
        "Concat" => true,
        "Mul" => use.Node.Input(1 - use.InputIndex) is { } factor && constants.IsConstant(factor),
        "Div" => use.InputIndex == 0 && use.Node.Input(1) is { } divisor && constants.IsConstant(divisor),
        _ => false,
    };
}
