using SamCompress.IR;
using SamCompress.Passes.Recipes;

namespace SamCompress.Cli.Jobs;

public sealed record RewriteOptions
{
    public required string Model { get; init; }

    public required string Output { get; init; }

    public required RewriteStep Step { get; init; }

    /// <summary>The model to repair and judge by; null when that is <see cref="Model"/> itself.</summary>
    public string? Reference { get; init; }

    public string Teacher => Reference ?? Model;

    public bool Overwrite { get; init; }

    public ExternalDataMode ExternalData { get; init; }

    /// <summary>Null to look beside the teacher.</summary>
    public string? Decoder { get; init; }

    /// <summary>Only which pictures counts.</summary>
    public CalibrationRequest Calibration { get; init; } = new();

    public ExecutionRequest Execution { get; init; } = new();

    public double? MinMeanIou { get; init; }

    /// <summary>By how much the mean mask IoU may drop from 1.</summary>
    public double? MaxDrop { get; init; }

    public bool DryRun { get; init; }

    /// <summary>The mean mask IoU that a choice of blocks must keep; null when nothing was said.</summary>
    public double? Wanted => new[] { Step.MinMiou, MinMeanIou, 1 - MaxDrop }.Max();
}
