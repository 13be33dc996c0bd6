using SamCompress.IR;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Pruning.Importance;

namespace SamCompress.Cli.Jobs;

public sealed record PruneOptions
{
    public required string Model { get; init; }

    public required string Output { get; init; }

    public required PruningOptions Pruning { get; init; }

    /// <summary>What channels are ranked by: one of <see cref="ImportanceCriteria.All"/>.</summary>
    public string Importance { get; init; } = ImportanceCriteria.Magnitude;

    public int Seed { get; init; }

    /// <summary>Whether the layers behind are refitted, where there are pictures to fit to.</summary>
    public bool Repair { get; init; } = true;

    public bool Overwrite { get; init; }

    public ExternalDataMode ExternalData { get; init; }

    /// <summary>Null to look beside the model.</summary>
    public string? Decoder { get; init; }

    /// <summary>Only which pictures counts.</summary>
    public CalibrationRequest Calibration { get; init; } = new();

    public ExecutionRequest Execution { get; init; } = new();

    /// <summary>Null to ask for nothing. Without pictures it is not measured, and so missed.</summary>
    public double? MinMeanIou { get; init; }

    /// <summary>By how much the mean mask IoU may drop from 1.</summary>
    public double? MaxDrop { get; init; }

    public bool DryRun { get; init; }
}
