using SamCompress.Passes;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Recipes;
using SamCompress.Runtime.Training;

namespace SamCompress.Cli.Jobs;

/// <summary>The loss around an update, the mean since the one reported before.</summary>
public sealed record ReportedLoss(long Update, double Loss, double LearningRate);

/// <summary>A training as it went.</summary>
/// <param name="Learned">How many pictures were learned from.</param>
/// <param name="Judging">By how many others the best weights were chosen.</param>
/// <param name="Before">The score before the first update: mean mask IoU, or the SQNR of embeddings in dB where there is no decoder.</param>
public sealed record ReportedTraining(
    string Name, string Source, int Learned, int Judging, double? Before, IReadOnlyList<ReportedLoss> Losses, IReadOnlyList<Validation> Validations, Validation? Best, double Seconds);

/// <summary>A group of channels of which some were taken away.</summary>
public sealed record PrunedGroup(string Name, string Kind, int Size, int Kept);

/// <summary>One pruning and the training behind it.</summary>
public sealed record ReportedSlimmingPhase(IReadOnlyList<PrunedGroup> Groups, IReadOnlyList<string> Notes, ReportedTraining Training);

/// <summary>How a model was slimmed.</summary>
public sealed record ReportedSlimming(
    SlimStep Step, long ParametersBefore, long ParametersAfter, MacCounts MacsBefore, MacCounts MacsAfter, IReadOnlyList<ReportedSlimmingPhase> Phases, double Seconds);

/// <summary>What came out of a distillation, for programs and people; no part of it is needed to use the artifact.</summary>
public sealed record DistillReport : IModelReport
{
    public int SchemaVersion { get; init; } = 1;

    public required string ToolVersion { get; init; }

    public required string RuntimeVersion { get; init; }

    public required IReadOnlyDictionary<string, object?> Options { get; init; }

    public required ReportedModel Model { get; init; }

    public required ReportedModel Teacher { get; init; }

    ReportedModel IModelReport.Original => Teacher;

    public required ReportedModel Artifact { get; init; }

    public required ReportedTraining Training { get; init; }

    /// <summary>How many elements of weights stayed the teacher's, because nothing before their layers differs from it.</summary>
    public required long FrozenParameters { get; init; }

    /// <summary>Against the teacher, on pictures that were neither learned from nor chosen by.</summary>
    public required ReportedQuality Quality { get; init; }

    public required ReportedSpeed Speed { get; init; }

    public required IReadOnlyList<ReportedGate> Gates { get; init; }

    public bool GatesMet => Gates.All(g => g.Met);

    public required IReadOnlyList<Diagnostic> Diagnostics { get; init; }

    public required IReadOnlyList<PassRecord> Passes { get; init; }

    public required IReadOnlyList<ReportedStage> Stages { get; init; }

    public required long PeakMemoryBytes { get; init; }

    /// <summary>What was written, by name: the artifact first, the reports last.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    public double Seconds => Stages.Sum(s => s.Seconds);
}
