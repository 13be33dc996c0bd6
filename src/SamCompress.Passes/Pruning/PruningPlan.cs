using System.Collections.Immutable;

namespace SamCompress.Passes.Pruning;

/// <summary>What was decided for one group.</summary>
public sealed record GroupPlan
{
    /// <summary>The name of the group.</summary>
    public required string Group { get; init; }

    public required ChannelGroupKind Kind { get; init; }

    /// <summary>How many channels the group has.</summary>
    public required int Size { get; init; }

    /// <summary>The channels that stay, in rising order.</summary>
    public required ImmutableArray<int> Kept { get; init; }

    /// <summary>What each channel scored; empty where no scores were asked for.</summary>
    public ImmutableArray<double> Scores { get; init; } = [];

    /// <summary>Why so many, and these.</summary>
    public required string Why { get; init; }
}

/// <summary>Which channels stay, for every group of a graph that loses any. A pure function of groups, scores and options; applying it decides nothing.</summary>
public sealed record PruningPlan(IReadOnlyList<GroupPlan> Groups)
{
    /// <summary>Groups that could not give what was asked for.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
