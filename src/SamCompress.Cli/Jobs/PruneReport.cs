using SamCompress.Passes;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Pruning;

namespace SamCompress.Cli.Jobs;

/// <summary>A group of channels that go together, before and after.</summary>
/// <param name="Before">Channels; of an attention those of one head.</param>
/// <param name="Copies">The heads that have them.</param>
/// <param name="Why">Null where nothing was asked for.</param>
public sealed record ReportedGroup(string Name, ChannelGroupKind Kind, int Copies, int Before, int After, string? Why)
{
    internal static ReportedGroup Of(ChannelGroup group, GroupPlan? plan) => new(group.Name, group.Kind, group.Copies, group.Size, plan?.Kept.Length ?? group.Size, plan?.Why);
}

/// <summary>What was pruned and what it came to.</summary>
/// <param name="Notes">Groups that could not give what was asked for.</param>
/// <param name="Repair">Null when there was to be none, or there were no pictures.</param>
public sealed record ReportedPruning(
    IReadOnlyList<ReportedGroup> Groups, IReadOnlyList<RefusedChannels> Refused, IReadOnlyList<string> Notes,
    long ParametersBefore, long ParametersAfter, MacCounts MacsBefore, MacCounts MacsAfter, ReportedRepair? Repair);

/// <summary>What came out of pruning, for programs and people; no part of it is needed to use the artifact.</summary>
public sealed record PruneReport : IModelReport
{
    public int SchemaVersion { get; init; } = 1;

    public required string ToolVersion { get; init; }

    public required string RuntimeVersion { get; init; }

    public required IReadOnlyDictionary<string, object?> Options { get; init; }

    public required ReportedModel Model { get; init; }

    /// <summary>Null after a dry run.</summary>
    public ReportedModel? Artifact { get; init; }

    public required ReportedPruning Pruning { get; init; }

    /// <summary>Null where there were none: nothing was fitted or judged then.</summary>
    public ReportedPictures? Pictures { get; init; }

    /// <summary>Against the model that was given.</summary>
    public ReportedQuality? Quality { get; init; }

    public ReportedSpeed? Speed { get; init; }

    /// <summary>None after a dry run.</summary>
    public IReadOnlyList<ReportedGate> Gates { get; init; } = [];

    public bool GatesMet => Gates.All(g => g.Met);

    public required IReadOnlyList<Diagnostic> Diagnostics { get; init; }

    public required IReadOnlyList<PassRecord> Passes { get; init; }

    public IReadOnlyList<ReportedStage> Stages { get; init; } = [];

    public long PeakMemoryBytes { get; init; }

    /// <summary>What was written, by name: the artifact first, the reports last.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    public double Seconds => Stages.Sum(s => s.Seconds);
}
