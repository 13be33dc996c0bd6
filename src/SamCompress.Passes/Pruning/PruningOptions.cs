namespace SamCompress.Passes.Pruning;

/// <summary>Among which channels the least important ones are looked for.</summary>
public enum PruningRanking
{
    /// <summary>Within each group: all lose the same share.</summary>
    Local,

    /// <summary>Among all groups of a kind: those that matter less lose more.</summary>
    Global,
}

/// <summary>What the scores I of a group are divided by before groups are compared. Source: algorithms.md 3.4.</summary>
public enum ScoreNormalization
{
    None,

    /// <summary>I / mean(I).</summary>
    Mean,

    /// <summary>I / max(I).</summary>
    Max,

    /// <summary>I / sum(I).</summary>
    Sum,

    /// <summary>(I - mean(I)) / (std(I) + 1e-8), with the deviation of a sample.</summary>
    Gaussian,

    /// <summary>(I - min(I)) / (max(I) - min(I) + 1e-8).</summary>
    Standardization,
}

/// <summary>How much of which channels goes.</summary>
public sealed record PruningOptions
{
    /// <summary>The share of the residual streams that goes. 0 leaves them as they are, as for the other kinds.</summary>
    public double EmbeddingRatio { get; init; }

    public double AttentionRatio { get; init; }

    public double MlpRatio { get; init; }

    public double ConvRatio { get; init; }

    /// <summary>SlimSAM leaves the neck as it is.</summary>
    public double NeckRatio { get; init; }

    public PruningRanking Ranking { get; init; } = PruningRanking.Local;

    /// <summary>Matters for global ranking only. Default: Gaussian.</summary>
    public ScoreNormalization Normalization { get; init; } = ScoreNormalization.Gaussian;

    /// <summary>The width that a layer keeps is rounded down to a multiple of it; the width of an attention is heads times channels. Default: 1.</summary>
    public int RoundTo { get; init; } = 1;

    /// <summary>How many channels every group keeps at least. Default: 1.</summary>
    public int Minimum { get; init; } = 1;

    /// <summary>
    /// Chooses the channels of embeddings with this period: the same places of each run of so many, as SlimSAM's released code does by the size of a head. Null, the default, chooses freely.
    /// </summary>
    public int? EmbeddingPeriod { get; init; }

    public double RatioOf(ChannelGroupKind kind) => kind switch
    {
        ChannelGroupKind.Embedding => EmbeddingRatio,
        ChannelGroupKind.AttentionHead => AttentionRatio,
        ChannelGroupKind.MlpHidden => MlpRatio,
        ChannelGroupKind.ConvChannels => ConvRatio,
        _ => NeckRatio,
    };
}
