using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Jobs;

public sealed record SensitivityOptions(string Model)
{
    /// <summary>Pictures to measure on when <see cref="Samples"/> does not say how many.</summary>
    public const int DefaultSamples = 8;

    /// <summary>Null to look beside the model.</summary>
    public string? Decoder { get; init; }

    /// <summary>The encoder that feeds <see cref="Model"/>, when that is a mask decoder; null when it is an encoder itself.</summary>
    public string? Encoder { get; init; }

    /// <summary>Of the pictures to calibrate with, those to measure masks on.</summary>
    public int? Samples { get; init; }

    public CalibrationRequest Calibration { get; init; } = new();

    public QuantizationRequest Quantization { get; init; } = new();

    public NodeSelection Selection { get; init; } = NodeSelection.All;

    public ExecutionRequest Execution { get; init; } = new();

    /// <summary>The list of the most sensitive layers to write, or null.</summary>
    public string? Output { get; init; }

    public bool Overwrite { get; init; }

    /// <summary>How many layers go into the list.</summary>
    public int Worst { get; init; } = 3;

    /// <summary>Keeps what was measured, or null.</summary>
    public string? State { get; init; }
}

/// <summary>What came of a measurement; the mask figures are null without a decoder.</summary>
/// <param name="MeanIou">When all layers are quantized.</param>
/// <param name="EmbeddingSqnr">When all layers are quantized, in dB.</param>
/// <param name="Layers">The most sensitive one first.</param>
public sealed record SensitivityReport(
    int SchemaVersion, string Model, string? Decoder, int Pictures, int Masks, double? MeanIou, double? EmbeddingSqnr, IReadOnlyList<MeasuredLayer> Layers, string? Output, double Seconds);

/// <summary>Measures on masks how sensitive each layer of a model is to quantization.</summary>
public static class SensitivityJob
{
    public static SensitivityReport Run(SensitivityOptions options, IJobProgress progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        var clock = new StageClock(progress, cancellation);
        using ArtifactWriter? writer = options.Output is null ? null : ArtifactWriter.Begin(options.Output, [], options.Overwrite, [options.Model]);
        clock.Start("read");
        using Model model = options.Encoder is null ? ModelSource.ReadEncoder(options.Model, options.Execution.Reading) : ModelSource.ReadDecoder(options.Model, options.Execution.Reading);
        string hash = FileHash.Of(model, options.Model);
        CalibrationPictures pictures = CalibrationPictures.Choose(options.Calibration, options.Encoder is { } feeding ? FileHash.Of(feeding) : hash, heldOut: ValidationStage.MostPictures);
        IReadOnlyList<string> chosen = Chosen(pictures.Calibration, options.Samples);
        string? decoder = options.Encoder is null ? Comparison.FindDecoder(options.Decoder, options.Model) : options.Model;

        clock.Start("clean up");
        var context = new PassContext { Evaluator = new OnnxConstantEvaluator(), Cancellation = cancellation };
        QuantizationOptions wanted = options.Quantization.Options(options.Calibration, options.Selection, allowRequantize: false);
        var quantization = new QuantizationStage(options.Quantization, wanted, options.Execution, context, clock, cancellation);
        new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(quantization.Target), .. StandardPipeline.PrepareQuantization]).Run(model, context);
        if (!quantization.HasWork(model))
            return new SensitivityReport(1, options.Model, decoder, 0, 0, null, null, [], null, clock.Stages.Sum(s => s.Seconds));
        (CalibrationStatistics statistics, _) = new CalibrationStage(options.Calibration, options.Execution, options.Encoder, quantization, clock, progress, cancellation).Run(model, hash, pictures);
        QuantizationPlan plan = quantization.Plan(model, statistics);

        clock.Start("run the float model");
        using var judge = PlanJudge.Open(
            options.Encoder ?? options.Model, decoder, options.Encoder is not null, PlanJudge.Copies(model, cancellation), chosen, options.Execution, options.Calibration.SkipBadImages, progress, cancellation);
        PlanVerdict all = judge.Judge(plan, cancellation);
        clock.Start("measure layers");
        SensitivityState? state = options.State is { } file ? new SensitivityState(file, Key(options, hash, decoder, statistics, chosen)) : null;
        IReadOnlyList<MeasuredLayer> layers = new SensitivityStage(judge, progress, cancellation).Run(model, plan, state?.Read(), state is null ? null : state.Write);
        if (writer is not null)
        {
            writer.Write(() =>
            {
                File.WriteAllText(writer.StagePath(Path.GetFileName(options.Output!)), LayerList.Text(Path.GetFileName(options.Model), layers.Take(options.Worst)));
                return true;
            });
            writer.Commit();
        }

        return new SensitivityReport(
            1, options.Model, decoder, judge.Pictures, all.Masks, all.MeanIou, all.EmbeddingSqnr, layers, options.Output, clock.Stages.Sum(s => s.Seconds));
    }

    /// <summary>Pictures evenly spread over those that there are.</summary>
    /// <exception cref="SamCompressException">Input: there are fewer than were asked for.</exception>
    internal static IReadOnlyList<string> Chosen(IReadOnlyList<string> pictures, int? samples)
    {
        if (samples > pictures.Count)
            throw new SamCompressException(FailureKind.InputRejected, $"there are {pictures.Count} pictures to calibrate with, and {samples} of them are to be measured on", "ask for fewer with --samples.");
        int count = Math.Min(samples ?? SensitivityOptions.DefaultSamples, pictures.Count);
        return [.. Enumerable.Range(0, count).Select(i => pictures[(int)((long)i * pictures.Count / count)])];
    }

    /// <summary>What two measurements must share for the layers of one to stand in for those of the other.</summary>
    private static string Key(SensitivityOptions options, string hash, string? decoder, CalibrationStatistics statistics, IReadOnlyList<string> pictures) => FileHash.OfHashes(
    [
        CommandLine.Version, hash, decoder is null ? "" : FileHash.Of(decoder), options.Encoder is { } encoder ? FileHash.Of(encoder) : "", statistics.PictureSetHash,
        options.Calibration.Method, options.Quantization.ToString(), .. pictures.Select(FileHash.Of),
    ]);
}
