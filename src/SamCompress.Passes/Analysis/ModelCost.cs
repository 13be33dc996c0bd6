namespace SamCompress.Passes.Analysis;

/// <summary>Multiply-accumulate operations of one run, by what they are for: see <see cref="MacKind"/>.</summary>
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

    /// <summary>Products and convolutions that could not be counted because a shape is unknown, and loops whose number of trips is.</summary>
    public required IReadOnlyList<string> Uncounted { get; init; }

    /// <summary>Every node that computes something from the data of an input, in the order of the graph, a body behind its owner.</summary>
    public required IReadOnlyList<NodeCost> Nodes { get; init; }

    /// <summary>Bytes of the activations alive at once, at most, when nodes run in order and views cost nothing; values of unknown shape are left out.</summary>
    public required long PeakActivationBytes { get; init; }

    /// <summary>The node that runs when activations take the most, or null in a graph without nodes.</summary>
    public required string? PeakNode { get; init; }

    /// <summary>The activation that takes the most memory, the first one of several; null when no shape is known.</summary>
    public required TensorCost? LargestTensor { get; init; }

    /// <summary>Bytes of all activations that a run makes.</summary>
    public long ActivationBytes => Nodes.Sum(n => n.OutputBytes);

    /// <summary>Bytes that a run reads and writes.</summary>
    public long MovedBytes => Nodes.Sum(n => n.MovedBytes);
}
