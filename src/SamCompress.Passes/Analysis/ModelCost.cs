namespace SamCompress.Passes.Analysis;

/// <summary>Multiply-accumulate operations of one run, by what they are for.</summary>
/// <param name="Linear">Convolutions, and matrix products with a constant operand.</param>
/// <param name="Attention">Matrix products of two activations: queries with keys, probabilities with values.</param>
/// <param name="RelativePosition">Products of an activation with a constant position table, added to the logits of a softmax.</param>
public sealed record MacCounts(long Linear, long Attention, long RelativePosition)
{
    public long Total => Linear + Attention + RelativePosition;
}

/// <summary>What a model costs.</summary>
public sealed record ModelCost
{
    /// <summary>
    /// Elements of trained tensors. A relative position table that an exporter expanded by its index counts as the table it came from;
    /// batch normalization that an exporter folded into a convolution is gone, and counts no more.
    /// </summary>
    public required long Parameters { get; init; }

    public required MacCounts Macs { get; init; }

    /// <summary>Products and convolutions that could not be counted because a shape is unknown.</summary>
    public required IReadOnlyList<string> Uncounted { get; init; }

    /// <summary>Bytes of the activations alive at once, at most, when nodes run in order and views cost nothing; values of unknown shape are left out.</summary>
    public required long PeakActivationBytes { get; init; }

    /// <summary>The node that runs when activations take the most, or null in a graph without nodes.</summary>
    public required string? PeakNode { get; init; }
}
