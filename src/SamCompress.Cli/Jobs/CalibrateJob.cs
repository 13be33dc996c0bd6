using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Jobs;

/// <param name="Output">The file of statistics to write.</param>
public sealed record CalibrateOptions(string Model, string Output)
{
    public bool Overwrite { get; init; }

    public CalibrationRequest Calibration { get; init; } = new();

    public QuantizationRequest Quantization { get; init; } = new();

    public ExecutionRequest Execution { get; init; } = new();
}

public sealed record CalibrateReport(int SchemaVersion, string Model, string Output, int Pictures, string PictureSetHash, int Values, IReadOnlyList<string> SkippedPictures, double Seconds);

/// <summary>Observes a model on pictures and writes what was seen, so that it can be quantized again and again without running it.</summary>
public static class CalibrateJob
{
    public static CalibrateReport Run(CalibrateOptions options, IJobProgress progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        var clock = new StageClock(progress, cancellation);
        using ArtifactWriter writer = ArtifactWriter.Begin(options.Output, [], options.Overwrite, [options.Model]);
        clock.Start("read");
        using Model model = ModelSource.ReadEncoder(options.Model, options.Execution.Reading);
        writer.RefuseInputs(model.Files);
        string hash = FileHash.Of(model, options.Model);
        CalibrationPictures pictures = CalibrationPictures.Choose(options.Calibration, hash, heldOut: ValidationStage.MostPictures);
        clock.Start("clean up");
        var context = new PassContext { Evaluator = new OnnxConstantEvaluator(), Cancellation = cancellation };
        var quantization = new QuantizationStage(
            options.Quantization, options.Quantization.Options(options.Calibration, NodeSelection.All, allowRequantize: false), options.Execution, context, clock, cancellation);
        new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(quantization.Target), .. StandardPipeline.PrepareQuantization]).Run(model, context);
        (CalibrationStatistics statistics, _) = new CalibrationStage(options.Calibration, options.Execution, encoder: null, quantization, clock, progress, cancellation).Run(model, hash, pictures);
        clock.Start("write");
        writer.Write(() =>
        {
            using FileStream stream = File.Create(writer.StagePath(Path.GetFileName(options.Output)));
            CalibrationCache.Write(statistics, stream);
            return true;
        });
        writer.Commit();
        return new CalibrateReport(
            1, options.Model, options.Output, statistics.PictureCount, statistics.PictureSetHash, statistics.Values.Count, pictures.Skipped, clock.Stages.Sum(s => s.Seconds));
    }
}
