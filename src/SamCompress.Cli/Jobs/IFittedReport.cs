namespace SamCompress.Cli.Jobs;

/// <summary>What the reports of jobs have in common that change an encoder approximately, fit it to pictures and judge it.</summary>
internal interface IFittedReport
{
    string ToolVersion { get; }

    string RuntimeVersion { get; }

    IReadOnlyDictionary<string, object?> Options { get; }

    ReportedModel Model { get; }

    ReportedModel? Artifact { get; }

    ReportedPictures? Pictures { get; }

    ReportedQuality? Quality { get; }

    ReportedSpeed? Speed { get; }

    IReadOnlyList<ReportedGate> Gates { get; }

    IReadOnlyList<ReportedStage> Stages { get; }

    long PeakMemoryBytes { get; }
}
