using System.Collections.Immutable;
using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Attention;

/// <summary>Where the heads are in an operand of an attention product: position p of the axis belongs to head (p / Inner) mod Heads.</summary>
/// <param name="AxisFromEnd">-3 for the axis before tokens and channels.</param>
public readonly record struct HeadPlace(int AxisFromEnd, long Inner, long Heads);

/// <summary>A query, key or value: the columns of a Linear layer that one operand of an attention product is made of.</summary>
public sealed record AttentionOperand
{
    public required QuantizableLayer Layer { get; init; }

    /// <summary>The column of the layer's output for each head and channel, at head * head size + channel.</summary>
    public required ImmutableArray<int> Columns { get; init; }

    public required int HeadSize { get; init; }

    /// <summary>Null where there is one head.</summary>
    public required HeadPlace? Place { get; init; }

    /// <summary>Where the product reads the columns.</summary>
    public required ChannelReading Reading { get; init; }

    /// <summary>What else reads these columns, such as the relative position terms of a query.</summary>
    public required IReadOnlyList<ChannelReading> OtherReadings { get; init; }

    public int Heads => (int)(Place?.Heads ?? 1);
}

/// <summary>Query times transposed key, on its way to the Softmax.</summary>
public sealed record QueryKeyProduct
{
    public required Node Node { get; init; }

    public required AttentionOperand Query { get; init; }

    public required AttentionOperand Key { get; init; }

    /// <summary>The first node behind the product when it multiplies or divides by a constant, else null.</summary>
    public required Node? LogitScale { get; init; }

    /// <summary>Why a constant added to all keys does change the result, or null when the Softmax takes it away.</summary>
    public required string? NotShiftInvariant { get; init; }
}

/// <summary>Attention weights times value, and the projection behind.</summary>
public sealed record ValueProduct
{
    public required Node Node { get; init; }

    public required AttentionOperand Value { get; init; }

    public required QuantizableLayer Projection { get; init; }

    /// <summary>The input channel of the projection for each head and channel, at head * head size + channel.</summary>
    public required ImmutableArray<int> Rows { get; init; }
}

/// <summary>One Softmax attention. A part that was not recognized is null, and is among the misses.</summary>
public sealed record AttentionBlock(Node Softmax, QueryKeyProduct? QueryKey, ValueProduct? Value);

/// <summary>A part of an attention that does not have the form that is understood.</summary>
/// <param name="Part"><see cref="QueryAndKey"/>, <see cref="ValueAndProjection"/> or <see cref="SelfAttention"/>.</param>
public sealed record AttentionMiss(Node Softmax, string Part, string Reason)
{
    public const string QueryAndKey = "query and key";

    public const string ValueAndProjection = "value and projection";

    /// <summary>Both are recognized, but not as one <see cref="Attention.SelfAttention"/>.</summary>
    public const string SelfAttention = "self-attention";
}

/// <summary>The attentions of a graph in its order, and what was not understood of them.</summary>
public sealed record AttentionView(IReadOnlyList<AttentionBlock> Blocks, IReadOnlyList<AttentionMiss> Misses);
