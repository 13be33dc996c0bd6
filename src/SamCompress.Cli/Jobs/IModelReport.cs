using SamCompress.Passes;

namespace SamCompress.Cli.Jobs;

/// <summary>What the reports of all jobs have that make a model of another one.</summary>
public interface IModelReport
{
    string ToolVersion { get; }

    string RuntimeVersion { get; }

    IReadOnlyDictionary<string, object?> Options { get; }

    ReportedModel Model { get; }

    /// <summary>What the artifact is compared with.</summary>
    ReportedModel Original => Model;

    /// <summary>Null when nothing was written.</summary>
    ReportedModel? Artifact { get; }

    /// <summary>Null when there was nothing to judge by.</summary>
    ReportedQuality? Quality { get; }

    /// <summary>Null when it was not measured.</summary>
    ReportedSpeed? Speed { get; }

    IReadOnlyList<ReportedGate> Gates { get; }

    IReadOnlyList<Diagnostic> Diagnostics { get; }

    IReadOnlyList<PassRecord> Passes { get; }

    IReadOnlyList<ReportedStage> Stages { get; }

    long PeakMemoryBytes { get; }

    IReadOnlyList<string> Files { get; }

    double Seconds { get; }
}
