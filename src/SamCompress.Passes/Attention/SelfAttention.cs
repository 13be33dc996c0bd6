using System.Collections.Immutable;
using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Attention;

/// <summary>What is added to the logits of an attention for the place of query and key.</summary>
public abstract record PositionTerm;

/// <summary>Nothing is added.</summary>
public sealed record NoPosition : PositionTerm;

/// <summary>
/// SAM's decomposed relative position: q.Height[y, y'] + q.Width[x, x'] for a query q at (y, x) and a key at (y', x').
/// </summary>
/// <param name="Height">[h, h, head size], constant.</param>
/// <param name="Width">[w, w, head size], constant.</param>
/// <param name="Factor">What the term is multiplied by, for the query as its Linear makes it.</param>
public sealed record DecomposedPosition(Value Height, Value Width, double Factor) : PositionTerm
{
    /// <summary>Whether it is written as one product with a one-hot basis, rather than as two sums.</summary>
    public bool IsFolded { get; init; }

    /// <summary>Rows of the map of tokens.</summary>
    public long Rows => Height.Shape![0].Value!.Value;

    /// <summary>Columns of the map of tokens.</summary>
    public long Columns => Width.Shape![0].Value!.Value;

    public override string ToString() => $"decomposed {Rows}x{Columns}";
}

/// <summary>The same projected on a basis: (q.Height[y] + q.Width[x]).Basis; see docs/attention.md.</summary>
/// <param name="Height">[h, head size, rank], constant.</param>
/// <param name="Width">[w, head size, rank], constant.</param>
/// <param name="Basis">[rank, tokens], constant.</param>
/// <param name="Factor">What the term is multiplied by, for the query as its Linear makes it.</param>
public sealed record ProjectedPosition(Value Height, Value Width, Value Basis, double Factor) : PositionTerm
{
    public long Rows => Height.Shape![0].Value!.Value;

    public long Columns => Width.Shape![0].Value!.Value;

    public long Rank => Basis.Shape![0].Value!.Value;

    public override string ToString() => $"rank {Rank} of {Rows}x{Columns}";
}

/// <summary>A constant for each query and key, as TinyViT has it.</summary>
/// <param name="Table">Broadcasts to [groups, heads, tokens, tokens].</param>
public sealed record BiasPosition(Value Table, double Factor) : PositionTerm
{
    public override string ToString() => "bias table";
}

/// <summary>Which of query, key and value, which head and which channel a column of the fused Linear is.</summary>
/// <param name="Digits">The axes that the columns split into: 0 for query, key, value; 1 for heads; 2 for channels; the slowest first.</param>
public sealed record ColumnLayout(ImmutableArray<(int Role, long Size)> Digits)
{
    public const int Part = 0, Head = 1, Channel = 2;

    public int PlaceOf(int role) => Digits.IndexOf(Digits.First(d => d.Role == role));

    /// <summary>Whether the columns are those of all queries, then all keys, then all values, each head by head.</summary>
    public bool IsPartMajor => Digits.Select(d => d.Role).SequenceEqual([Part, Head, Channel]);
}

/// <summary>
/// A Softmax self-attention of which everything is known: one Linear makes query, key and value; tokens are rows of it; one factor scales the logits; the term for
/// positions is one of the known ones; a projection reads the heads side by side. What rewrites of attention start from.
/// </summary>
public sealed record SelfAttention
{
    public required AttentionBlock Block { get; init; }

    public required ColumnLayout Columns { get; init; }

    /// <summary>The rows of the Linear's output that attend to each other.</summary>
    public required TokenOrder Order { get; init; }

    /// <summary>What the product of query and key is multiplied by.</summary>
    public required double Scale { get; init; }

    public required PositionTerm Position { get; init; }

    /// <summary>The cut into windows before the Linear, and the way back behind the projection; null where there is none, or it is not known.</summary>
    public required WindowPartition? Window { get; init; }

    public Node Softmax => Block.Softmax;

    public QuantizableLayer Layer => Block.QueryKey!.Query.Layer;

    public QuantizableLayer Projection => Block.Value!.Projection;

    public int Heads => Block.QueryKey!.Query.Heads;

    public int HeadSize => Block.QueryKey!.Query.HeadSize;

    /// <summary>Whether every token attends to all others of the map.</summary>
    public bool IsGlobal => Order.GroupCount == 1;

    /// <summary>The map that the tokens of one group are, where its sides are known or equal; null for a row that is no map.</summary>
    public (long Height, long Width)? Map => Position switch
    {
        DecomposedPosition p => (p.Rows, p.Columns),
        ProjectedPosition p => (p.Rows, p.Columns),
        _ => (long)Math.Round(Math.Sqrt(Order.TokenCount)) is var side && side * side == Order.TokenCount ? (side, side) : null,
    };

    /// <summary>For messages and selection: the name of the node of the Softmax, or of its output.</summary>
    public string Name => Softmax.Name.Length > 0 ? Softmax.Name : Softmax.Output.Name;
}

/// <summary>The self-attentions of a graph in its order, and why the others are none.</summary>
/// <param name="Blocks">All attentions that were found, these among them.</param>
public sealed record SelfAttentionView(IReadOnlyList<SelfAttention> Attentions, IReadOnlyList<AttentionMiss> Misses, IReadOnlyList<AttentionBlock> Blocks);
