using SamCompress.Cli.Rendering;
using SamCompress.Cli.Rendering.Html;
using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Conversion;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Jobs;

/// <summary>
/// Quantizes an image encoder, or a mask decoder: read, clean up, calibrate, plan, quantize, write, prove. The artifact appears only when it has been loaded
/// and run; a gate that is missed is no failure of the job, and is in the report.
/// </summary>
public sealed class QuantizeJob(QuantizeOptions options, IJobProgress progress, CancellationToken cancellation)
{
    private readonly StageClock _clock = new(progress, cancellation);
    private readonly PassContext _context = new() { Evaluator = new OnnxConstantEvaluator(), Cancellation = cancellation };
    private readonly List<PassRecord> _passes = [];

    /// <exception cref="SamCompressException">See reliability rules: usage, input, unsupported, output, runtime.</exception>
    public CompressionReport Run()
    {
        string name = Path.GetFileName(options.OutputPath);
        var reports = new ReportFiles(name);
        if (options.Preprocessing is not null && options.Encoder is not null)
            throw new SamCompressException(FailureKind.Usage, "--embed-preprocessing is for image encoders; --encoder says that the model is a mask decoder", "leave one of them out.");
        if (options.Bundle && options.Encoder is not null)
            throw new SamCompressException(FailureKind.Usage, "--output-dir is for image encoders; --encoder says that the model is a mask decoder", "use -o FILE.");
        DecoderStage? decoderStage = DecoderStage.For(options);
        using ArtifactWriter? writer = options.DryRun
            ? null
            : ArtifactWriter.Begin(options.OutputPath, [name + ".data", .. reports.Names, .. decoderStage?.Sidecars ?? [], .. options.Bundle ? Bundle.Sidecars : []], options.Overwrite, [.. Inputs(), .. decoderStage is null ? [] : new[] { decoderStage.Source }]);
        _clock.Start("read");
        using Model model = options.Encoder is null ? ModelSource.ReadEncoder(options.Model, options.Execution.Reading) : ModelSource.ReadDecoder(options.Model, options.Execution.Reading);
        writer?.RefuseInputs(model.Files);
        string hash = FileHash.Of(model, options.Model);
        using Model? reference = options.Reference is { } original ? ModelSource.ReadEncoder(original, options.Execution.Reading) : null;
        string teacherHash = reference is null ? hash : FileHash.Of(reference, options.Teacher);
        ReportedModel source = Describe(reference ?? model, options.Teacher, teacherHash, ModelSource.FileBytes(reference ?? model, options.Teacher));
        CalibrationPictures? pictures = Pictures(options.Encoder is { } encoder ? FileHash.Of(encoder) : teacherHash);
        if (decoderStage is not null)
            DecoderStage.RequirePictures(pictures);
        string? decoder = options.Encoder is null ? Comparison.FindDecoder(options.Decoder, options.Teacher) : options.Model;

        _clock.Start("clean up");
        var quantization = new QuantizationStage(
            options.Quantization, options.Quantization.Options(options.Calibration, options.Selection, options.AllowRequantize), options.Execution, _context, _clock, cancellation);
        Outcome? outcome = options.Quantization.Floats is { } floats ? Convert(model, floats, quantization.Target, hash, pictures) : Quantize(model, quantization, hash, pictures, decoder);
        if (outcome is not ({ } plan, { } statistics, bool fromCache, var mixed, var quantizedFrom))
            return NothingToDo(source, quantization.Plan(model, NoStatistics(hash)));
        using Model? prepared = quantizedFrom;
        foreach (Diagnostic breach in TargetCheck.Check(model, quantization.Target))
            _context.Report(breach);
        CompressionReport report = Draft(source, plan) with
        {
            MixedPrecision = mixed,
            Calibration = options.Quantization.Floats is not null ? null : new ReportedCalibration(
                options.Calibration.Method, pictures is null ? statistics.PictureCount : pictures.Calibration.Count - pictures.Skipped.Count, statistics.PictureSetHash, pictures?.Source ?? "the cache", fromCache, pictures?.Skipped ?? []),
        };
        if (writer is null)
            return report;

        Provenance.Set(model, teacherHash, statistics, options);
        _clock.Start("write");
        var delivery = new DeliveryStage(options.Preprocessing, options.ExternalData, options.Execution.Session, writer, _clock, cancellation);
        DeliveredEncoder delivered = delivery.Write(model, name, pictures?.ToCompareBy ?? []);
        _clock.Start("load");
        KernelReport kernels = KernelReport.Read(delivered.Plain, options.Execution.Session, Path.GetDirectoryName(delivered.Plain));
        (ReportedQuality? quality, ReportedSpeed? speed, IReadOnlyList<PictureMasks> worst) = new ValidationStage(options, decoder, _clock, progress, cancellation).Run(delivered.Plain, pictures, statistics.PictureSetHash);
        QuantizerProofResult? proof = plan.Layers.Count == 0 ? null : new ProofStage(options, _clock, progress, cancellation).Run(delivered.Plain, plan, pictures);
        (IReadOnlyList<ReportedLayer> layers, ReportedLayerErrors? errors) = prepared is null ? ([], null) : new LayerErrorStage(options.Execution, _clock, progress, cancellation).Run(
            prepared, delivered.Plain, plan, LayerKernels.Report(plan, kernels), pictures, statistics.PictureSetHash, chosen => options.Encoder is { } feeding ? chosen.ForDecoder(options.Model, feeding, options.Execution.Session) : chosen.ForEncoder(model));
        ReportedDecoder? second = decoderStage?.Run(delivered, pictures!, writer, _context, _clock, progress, cancellation);
        report = report with
        {
            Decoder = second,
            Quantizers = proof,
            Artifact = delivered.Model,
            Preprocessing = delivered.Preprocessing,
            Quality = quality,
            Speed = speed,
            Gates = Gates(quality, second, (double)delivered.Model.Bytes / source.Bytes),
            Layers = layers,
            LayerErrors = errors,
            Stages = _clock.Stages,
            PeakMemoryBytes = ProcessMemory.Peak(),
            Files = [.. delivered.Files.Select(f => Path.GetFileName(f)), .. second?.Files ?? [], .. reports.Names],
        };
        reports.Write(writer, report, ReportMarkdown.Render(report), ReportHtml.Render(report, new OverlayStage(_clock, cancellation).Run(worst)));
        if (options.Bundle)
            report = report with { Files = [.. report.Files, .. Bundle.Complete(writer, report, second is null ? decoder : null, options.Execution.Reading)] };
        cancellation.ThrowIfCancellationRequested();
        writer.Commit();
        return report with { Files = [.. report.Files.Select(f => Path.Combine(Path.GetDirectoryName(options.OutputPath)!, f))] };
    }

    /// <returns>Null when there is no layer to quantize.</returns>
    private Outcome? Quantize(Model model, QuantizationStage quantization, string hash, CalibrationPictures? pictures, string? decoder)
    {
        RunPasses(model, [.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(quantization.Target), .. StandardPipeline.PrepareQuantization]);
        if (!quantization.HasWork(model))
            return null;
        (CalibrationStatistics statistics, bool fromCache) =
            new CalibrationStage(options.Calibration, options.Execution, options.Encoder, quantization, _clock, progress, cancellation).Run(model, hash, pictures);
        SearchGuidance? guidance = new GuidanceStage(options, decoder, _clock, progress, cancellation).Run(model, statistics, quantization.Planner, pictures);
        QuantizationPlan plan = quantization.Plan(model, statistics, guidance, pictures is null || options.Encoder is not null ? null : () => new CalibrationSamples(pictures, progress, cancellation).ForEncoder(model));
        _clock.Start("quantize");
        (plan, ReportedMixedPrecision? mixed) = new MixedPrecisionStage(options, decoder, _clock, progress, cancellation).Run(model, plan, pictures);
        Model prepared = ModelCopy.Of(model);
        RunPasses(model, [new QuantizePass(plan)]);
        return new Outcome(plan, statistics, fromCache, mixed, prepared);
    }

    /// <summary>Cleans, fuses, and stores weights as floats: nothing is planned, and nothing is calibrated.</summary>
    private Outcome Convert(Model model, FloatWeights floats, TargetDescription target, string hash, CalibrationPictures? pictures)
    {
        RunPasses(model, [.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(target), .. StandardPipeline.FuseForTarget(target), .. floats == FloatWeights.Half ? new Pass[] { new StoreWeightsAsHalf() } : []]);
        model.SetMetadata(QuantizePass.MetadataPrefix + "target", target.Name);
        model.SetMetadata(QuantizePass.MetadataPrefix + "precision", options.Quantization.PrecisionName);
        var plan = new QuantizationPlan { Target = target.Name, Precision = options.Quantization.PrecisionName, Activations = [], Layers = [], Diagnostics = [] };

        // No picture has been seen: those to calibrate with are as good to judge by.
        return new Outcome(plan, NoStatistics(hash) with { PictureSetHash = pictures?.SetHash ?? "" }, FromCache: false, Mixed: null, Prepared: null);
    }

    /// <param name="Prepared">The model as it was before it was quantized; null when it was not.</param>
    private sealed record Outcome(QuantizationPlan Plan, CalibrationStatistics Statistics, bool FromCache, ReportedMixedPrecision? Mixed, Model? Prepared);

    /// <summary>What is known before anything was measured.</summary>
    private CompressionReport Draft(ReportedModel source, QuantizationPlan plan) => new()
    {
        ToolVersion = CommandLine.Version,
        RuntimeVersion = OnnxSession.RuntimeVersion,
        Options = ReportedOptions.Of(options),
        Model = source,
        Artifact = null,
        Calibration = null,
        Quality = null,
        Speed = null,
        Gates = [],
        Slimming = options.Slimming,
        Rewrites = options.Rewrites,
        Layers = LayerKernels.Report(plan, null),
        Diagnostics = _context.Diagnostics,
        Passes = _passes,
        Stages = _clock.Stages,
        PeakMemoryBytes = ProcessMemory.Peak(),
        Files = [],
    };

    /// <summary>No layer can be quantized, or all are excluded: nothing is written.</summary>
    private CompressionReport NothingToDo(ReportedModel source, QuantizationPlan plan) =>
        Draft(source, plan) with { Gates = [ReportedGate.AtLeast("layers-to-quantize", 1, 0)] };

    private static CalibrationStatistics NoStatistics(string hash) =>
        new() { ModelHash = hash, ToolVersion = CommandLine.Version, PictureSetHash = "", PictureCount = 0, Values = [] };

    /// <summary>The demands of the user, and those that always hold, of which only a missed one is worth a word.</summary>
    private List<ReportedGate> Gates(ReportedQuality? quality, ReportedDecoder? second, double sizeRatio)
    {
        List<ReportedGate> gates = [.. ReportedGate.OfMasks(options.MinMeanIou, options.MaxDrop, quality?.MeanIou)];
        if (options.MinMeanIou is { } together && second is not null)
            gates.Add(ReportedGate.AtLeast("mean-iou-of-both", together, second.Quality.MeanIou));
        var size = ReportedGate.Below("size-ratio", 1, sizeRatio);
        return size.Met || options.Quantization.Floats == FloatWeights.Single ? gates : [.. gates, size];
    }

    private IReadOnlyList<string> Inputs() => [options.Model, .. new[] { options.Decoder, options.Encoder, options.Reference }.OfType<string>()];

    private CalibrationPictures? Pictures(string hash) =>
        (options.Quantization.Floats is not null || (options.Calibration.Cache is { } cache && File.Exists(cache))) && !CalibrationPictures.AreGiven(options.Calibration, hash)
            ? null
            : CalibrationPictures.Choose(options.Calibration, hash, ValidationStage.MostPictures);

    private void RunPasses(Model model, IReadOnlyList<Pass> passes) => _passes.AddRange(new PassPipeline(passes).Run(model, _context));

    internal static ReportedModel Describe(Model model, string path, string hash, long bytes) =>
        new(Path.GetFileName(path), hash, bytes, model.AllGraphs().Sum(g => g.Nodes.Count), CostModel.Measure(model).Parameters, ModelSource.MemoryBytes(model));
}
