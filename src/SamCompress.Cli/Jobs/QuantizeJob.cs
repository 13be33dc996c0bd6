using SamCompress.Cli.Rendering;
using SamCompress.Cli.Rendering.Html;
using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Analysis;
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
        DecoderStage? decoderStage = DecoderStage.For(options);
        using ArtifactWriter? writer = options.DryRun
            ? null
            : ArtifactWriter.Begin(options.OutputPath, [name + ".data", .. reports.Names, .. decoderStage?.Sidecars ?? []], options.Overwrite, [.. Inputs(), .. decoderStage is null ? [] : new[] { decoderStage.Source }]);
        _clock.Start("read");
        using Model model = options.Encoder is null ? ModelSource.ReadEncoder(options.Model) : ModelSource.ReadDecoder(options.Model);
        writer?.RefuseInputs(model.Files);
        string hash = FileHash.Of(model, options.Model);
        using Model? reference = options.Reference is { } original ? ModelSource.ReadEncoder(original) : null;
        string teacherHash = reference is null ? hash : FileHash.Of(reference, options.Teacher);
        ReportedModel source = Describe(reference ?? model, options.Teacher, teacherHash, ModelSource.FileBytes(reference ?? model, options.Teacher));
        CalibrationPictures? pictures = Pictures(options.Encoder is { } encoder ? FileHash.Of(encoder) : teacherHash);
        if (decoderStage is not null)
            DecoderStage.RequirePictures(pictures);
        string? decoder = options.Encoder is null ? Comparison.FindDecoder(options.Decoder, options.Teacher) : options.Model;

        _clock.Start("clean up");
        var quantization = new QuantizationStage(
            options.Quantization, options.Quantization.Options(options.Calibration, options.Selection, options.AllowRequantize), options.Execution, _context, _clock, cancellation);
        RunPasses(model, [.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(quantization.Target), .. StandardPipeline.PrepareQuantization]);
        if (!quantization.HasWork(model))
            return NothingToDo(source, quantization.Plan(model, NoStatistics(hash)));
        (CalibrationStatistics statistics, bool fromCache) =
            new CalibrationStage(options.Calibration, options.Execution, options.Encoder, quantization, _clock, progress, cancellation).Run(model, hash, pictures);
        SearchGuidance? guidance = new GuidanceStage(options, decoder, _clock, progress, cancellation).Run(model, statistics, quantization.Planner, pictures);
        QuantizationPlan plan = quantization.Plan(model, statistics, guidance, pictures is null || options.Encoder is not null ? null : () => new CalibrationSamples(pictures, progress, cancellation).ForEncoder(model));
        _clock.Start("quantize");
        (plan, ReportedMixedPrecision? mixed) = new MixedPrecisionStage(options, decoder, _clock, progress, cancellation).Run(model, plan, pictures);
        using Model prepared = ModelCopy.Of(model);
        RunPasses(model, [new QuantizePass(plan)]);
        foreach (Diagnostic breach in TargetCheck.Check(model, quantization.Target))
            _context.Report(breach);
        CompressionReport report = Draft(source, plan) with
        {
            MixedPrecision = mixed,
            Calibration = new ReportedCalibration(
                options.Calibration.Method, pictures is null ? statistics.PictureCount : pictures.Calibration.Count - pictures.Skipped.Count, statistics.PictureSetHash, pictures?.Source ?? "the cache", fromCache, pictures?.Skipped ?? []),
        };
        if (writer is null)
            return report;

        SetProvenance(model, teacherHash, statistics);
        _clock.Start("write");
        IReadOnlyList<string> staged = writer.Write(() => OnnxWriter.Save(model, writer.StagePath(name), new SaveOptions { ExternalData = options.ExternalData }));
        _clock.Start("load");
        KernelReport kernels = KernelReport.Read(staged[0], options.Execution.Session, Path.GetDirectoryName(staged[0]));
        (ReportedQuality? quality, ReportedSpeed? speed, IReadOnlyList<PictureMasks> worst) = new ValidationStage(options, decoder, _clock, progress, cancellation).Run(staged[0], pictures, statistics.PictureSetHash);
        QuantizerProofResult proof = new ProofStage(options, _clock, progress, cancellation).Run(staged[0], plan, pictures);
        (IReadOnlyList<ReportedLayer> layers, ReportedLayerErrors errors) = new LayerErrorStage(options.Execution, _clock, progress, cancellation).Run(
            prepared, staged[0], plan, LayerKernels.Report(plan, kernels), pictures, statistics.PictureSetHash, chosen => options.Encoder is { } feeding ? chosen.ForDecoder(options.Model, feeding, options.Execution.Session) : chosen.ForEncoder(model));
        ReportedDecoder? second = decoderStage?.Run(staged[0], pictures!, writer, _context, _clock, progress, cancellation);
        report = report with
        {
            Decoder = second,
            Quantizers = proof,
            Artifact = Describe(model, options.OutputPath, FileHash.Of(staged[0]), staged.Sum(f => new FileInfo(f).Length)),
            Quality = quality,
            Speed = speed,
            Gates = Gates(quality, second, (double)staged.Sum(f => new FileInfo(f).Length) / source.Bytes),
            Layers = layers,
            LayerErrors = errors,
            Stages = _clock.Stages,
            PeakMemoryBytes = ProcessMemory.Peak(),
            Files = [.. staged.Select(f => Path.GetFileName(f)), .. second?.Files ?? [], .. reports.Names],
        };
        reports.Write(writer, report, ReportMarkdown.Render(report), ReportHtml.Render(report, new OverlayStage(_clock, cancellation).Run(worst)));
        cancellation.ThrowIfCancellationRequested();
        writer.Commit();
        return report with { Files = [.. report.Files.Select(f => Path.Combine(Path.GetDirectoryName(options.OutputPath)!, f))] };
    }

    /// <summary>What is known before anything was measured.</summary>
    private CompressionReport Draft(ReportedModel source, QuantizationPlan plan) => new()
    {
        ToolVersion = CommandLine.Version,
        RuntimeVersion = OnnxSession.RuntimeVersion,
        Options = EffectiveOptions(),
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
        return size.Met ? gates : [.. gates, size];
    }

    private IReadOnlyList<string> Inputs() => [options.Model, .. new[] { options.Decoder, options.Encoder, options.Reference }.OfType<string>()];

    private CalibrationPictures? Pictures(string hash) =>
        options.Calibration.Cache is { } cache && File.Exists(cache) && !CalibrationPictures.AreGiven(options.Calibration, hash)
            ? null
            : CalibrationPictures.Choose(options.Calibration, hash, ValidationStage.MostPictures);

    private void RunPasses(Model model, IReadOnlyList<Pass> passes) => _passes.AddRange(new PassPipeline(passes).Run(model, _context));

    internal static ReportedModel Describe(Model model, string path, string hash, long bytes) =>
        new(Path.GetFileName(path), hash, bytes, model.AllGraphs().Sum(g => g.Nodes.Count), CostModel.Measure(model).Parameters, ModelSource.MemoryBytes(model));

    internal static void SetProvenance(Model model, string hash, CalibrationStatistics statistics)
    {
        model.SetMetadata(QuantizePass.MetadataPrefix + "version", CommandLine.Version);
        model.SetMetadata(QuantizePass.MetadataPrefix + "source-sha256", hash);
        model.SetMetadata(QuantizePass.MetadataPrefix + "calibration-set-sha256", statistics.PictureSetHash);
    }

    private SortedDictionary<string, object?> EffectiveOptions() => new(StringComparer.Ordinal)
    {
        ["recipe"] = options.Recipe,
        ["precision"] = options.Quantization.Precision.Name,
        ["target"] = options.Quantization.Target,
        ["rounding"] = options.Quantization.ChosenRounding.ToString().ToLowerInvariant(),
        ["equalize"] = options.Quantization.Equalize,
        ["correctBias"] = options.Quantization.CorrectBias,
        ["twinRanges"] = options.Quantization.TwinRanges,
        ["gptqStages"] = options.Quantization.GptqStages,
        ["rerank"] = options.Quantization.RerankPictures,
        ["decoderPrecision"] = options.DecoderPrecision,
        ["calibrationMethod"] = options.Calibration.Method,
        ["percentile"] = options.Calibration.Method == "percentile" ? options.Calibration.Percentile ?? PercentileEstimator.Default : null,
        ["samples"] = options.Calibration.Samples,
        ["device"] = options.Execution.DeviceName,
        ["threads"] = options.Execution.Session.Threads,
        ["maxMemory"] = options.Execution.MaxMemory,
        ["nodesToQuantize"] = Joined(options.Selection.NodesToQuantize),
        ["nodesToExclude"] = Joined(options.Selection.NodesToExclude),
        ["opTypesToQuantize"] = Joined(options.Selection.OpTypesToQuantize),
        ["opTypesToExclude"] = Joined(options.Selection.OpTypesToExclude),
        ["externalData"] = options.ExternalData.ToString().ToLowerInvariant(),
        ["minMiou"] = options.MinMeanIou,
        ["maxDrop"] = options.MaxDrop,
    };

    private static string? Joined(IReadOnlyList<string> names) => names.Count == 0 ? null : string.Join(' ', names);
}
