using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Images.Embedded;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Jobs;

public sealed record OptimizeOptions(string Model, string Output)
{
    public ReadOptions Reading { get; init; } = ReadOptions.Default;

    public bool Overwrite { get; init; }

    public ExternalDataMode ExternalData { get; init; }

    /// <summary>What the encoder shall take; null for the tensor that it takes.</summary>
    public PictureForm? Preprocessing { get; init; }

    /// <summary>What shall run the result: a built-in target, or the path of a description.</summary>
    public string Target { get; init; } = TargetDescription.Default;
}

/// <param name="Changed">False when there was nothing to do; the output is then a copy.</param>
/// <param name="Files">What was written, the model first.</param>
public sealed record OptimizeReport(
    int SchemaVersion,
    string Model,
    string Output,
    bool Changed,
    int NodesBefore,
    int NodesAfter,
    long BytesBefore,
    long BytesAfter,
    double Seconds,
    IReadOnlyList<PassRecord> Passes,
    IReadOnlyList<Diagnostic> Diagnostics,
    IReadOnlyList<string> Files,
    ReportedPreprocessing? Preprocessing);

/// <summary>Runs the cleanup and fusion passes on a model: the result computes the same, up to rounding.</summary>
public static class OptimizeJob
{
    public static OptimizeReport Run(OptimizeOptions options, IJobProgress progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        long start = TimeProvider.System.GetTimestamp();
        TargetDescription target = TargetDescription.Load(options.Target);
        string name = Path.GetFileName(options.Output);
        using ArtifactWriter writer = ArtifactWriter.Begin(options.Output, [name + ".data"], options.Overwrite, [options.Model]);
        progress.Stage("read");
        using Model model = ModelSource.Read(options.Model, options.Reading);
        writer.RefuseInputs(model.Files);
        int before = CountNodes(model);
        progress.Stage("optimize");
        var context = new PassContext { Evaluator = new OnnxConstantEvaluator(), Cancellation = cancellation };
        IReadOnlyList<PassRecord> passes = new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(target), .. StandardPipeline.FuseForTarget(target)]).Run(model, context);
        progress.Stage("write");
        cancellation.ThrowIfCancellationRequested();
        DeliveredEncoder delivered = new DeliveryStage(options.Preprocessing, options.ExternalData, SessionSettings.Default, writer, new StageClock(progress, cancellation), cancellation).Write(model, name, []);
        IReadOnlyList<string> files = writer.Commit();
        return new OptimizeReport(
            1,
            options.Model,
            options.Output,
            passes.Any(p => p.Changes > 0),
            before,
            delivered.Model.Nodes,
            ModelSource.FileBytes(model, options.Model),
            files.Sum(f => new FileInfo(f).Length),
            TimeProvider.System.GetElapsedTime(start).TotalSeconds,
            passes,
            context.Diagnostics,
            files,
            delivered.Preprocessing);
    }

    private static int CountNodes(Model model) => model.AllGraphs().Sum(g => g.Nodes.Count);
}
