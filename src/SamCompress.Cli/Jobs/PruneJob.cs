using System.Globalization;
using SamCompress.Cli.Rendering;
using SamCompress.Cli.Rendering.Html;
using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Fusion;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Pruning.Importance;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Repair;
using SamCompress.Passes.Rewriting;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Repair;
using SamCompress.Runtime.Training;

namespace SamCompress.Cli.Jobs;

/// <summary>
/// Takes channels away from an image encoder: read, clean up, rank, prune, repair, write, judge. What is written is in the plain form that every job reads again. Without pictures it
/// is not repaired and not judged. A gate that is missed is no failure of the job, and is in the report.
/// </summary>
/// <param name="importance">Makes what channels are ranked by, from the model as it will be pruned; null to go by the name in the options.</param>
public sealed class PruneJob(PruneOptions options, IJobProgress progress, CancellationToken cancellation, Func<Model, ChannelImportance>? importance = null)
{
    private readonly StageClock _clock = new(progress, cancellation);

    /// <summary>Tables of relative positions stay as they were trained, so that parameters are those of the architecture.</summary>
    private readonly PassContext _context = new() { Evaluator = new OnnxConstantEvaluator(), Cancellation = cancellation, FoldingBudget = 0 };
    private readonly List<PassRecord> _passes = [];

    /// <exception cref="SamCompressException">See reliability rules: usage, input, unsupported, output, runtime.</exception>
    public PruneReport Run()
    {
        string name = Path.GetFileName(options.Output);
        var reports = new ReportFiles(name);
        using ArtifactWriter? writer = options.DryRun
            ? null
            : ArtifactWriter.Begin(options.Output, [name + ".data", .. reports.Names], options.Overwrite, [options.Model, .. new[] { options.Decoder }.OfType<string>()]);
        _clock.Start("read");
        using Model model = ModelSource.ReadEncoder(options.Model, options.Execution.Reading);
        writer?.RefuseInputs(model.Files);
        string hash = FileHash.Of(model, options.Model);
        ReportedModel source = QuantizeJob.Describe(model, options.Model, hash, ModelSource.FileBytes(model, options.Model));
        string? decoder = Comparison.FindDecoder(options.Decoder, options.Model);

        _clock.Start("clean up");
        RunPasses(model, [.. StandardPipeline.Cleanup, .. Normalizations]);
        _clock.Start("rank");
        ChannelGroups found = ChannelGroupFinder.Find(model);
        CalibrationPictures? pictures = CalibrationPictures.AreGiven(options.Calibration, hash) ? FittedStudent.Pictures(options.Calibration, hash) : null;
        PruningPlan plan = Plan(found, Importance(model, found, pictures, decoder));
        Model plain = ModelCopy.Of(model);
        RunPasses(plain, StandardPipeline.Prune(plan));
        PruneReport report = Report(source, model, found, plan, plain);
        if (writer is null)
        {
            plain.Dispose();
            return report;
        }

        bool isSmall = pictures is not null && Comparison.IsSmall(options.Model);
        FittedStudent? student = pictures is null
            ? null
            : new FittedStudent(options.Model, decoder, FittedStudent.Judges(pictures.HeldOut, isSmall), options.Execution, _clock, progress, cancellation);
        IReadOnlyList<PictureMasks> worst = [];
        (Model result, ReportedRepair? repair) = student is not null && options.Repair ? student.Repair(plain, pruned => Refit(model, pruned, pictures!)) : (plain, null);
        using (result)
        {
            SetProvenance(result, hash, pictures, report);
            _clock.Start("write");
            IReadOnlyList<string> staged = writer.Save(result, name, options.ExternalData);
            report = report with
            {
                Artifact = QuantizeJob.Describe(result, options.Output, FileHash.Of(staged[0]), staged.Sum(f => new FileInfo(f).Length)),
                Pruning = report.Pruning with { Repair = repair },
                Pictures = pictures is null ? null : new ReportedPictures(pictures.Source, pictures.SetHash, pictures.Calibration.Count - pictures.Skipped.Count, 0, pictures.Skipped),
            };
            if (student is not null)
            {
                _clock.Start("validate");
                (ReportedQuality quality, ReportedSpeed speed, worst) = student.Compare(staged[0], isSmall);
                report = report with { Quality = quality, Speed = speed };
            }

            report = report with
            {
                Gates = [.. ReportedGate.OfMasks(options.MinMeanIou, options.MaxDrop, report.Quality?.MeanIou)],
                Stages = _clock.Stages,
                PeakMemoryBytes = ProcessMemory.Peak(),
                Files = [.. staged.Select(f => Path.GetFileName(f)), .. reports.Names],
            };
        }

        reports.Write(writer, report, PruneMarkdown.Render(report), ReportHtml.Render(report, new OverlayStage(_clock, cancellation).Run(worst)));
        cancellation.ThrowIfCancellationRequested();
        return report with { Files = writer.Commit() };
    }

    /// <summary>Normalizations in primitive operators hide which channels they normalize.</summary>
    private static IReadOnlyList<Pass> Normalizations =>
        [new Rewriter("fuse-layer-normalization", [new FuseLayerNormalization(), new MergeTransposes(), new EliminateTranspose()]), new EliminateUnusedInitializers(), new InferShapes()];

    /// <summary>What channels are ranked by; where that takes gradients, over the pictures that layers are fitted to.</summary>
    private ChannelImportance Importance(Model model, ChannelGroups found, CalibrationPictures? pictures, string? decoder)
    {
        if (importance is not null)
            return importance(model);
        if (ImportanceCriteria.NeedsPictures(options.Importance) && pictures is null)
            throw new SamCompressException(FailureKind.Usage, $"importance '{options.Importance}' takes pictures, and none are given", "give some like those that the model will see: --calibration-data DIR.");
        Value input = model.Graph.Inputs[0];
        using var seen = new TrainingPictures(ImageSet.Of(pictures?.Calibration ?? []), Preprocessing.For(new SessionValue(input.Name, input.ElementType, input.Shape), options.Model), augmentation: null);
        using Model? head = options.Importance == ImportanceCriteria.Taylor && decoder is not null ? ModelSource.ReadDecoder(decoder, options.Execution.Reading) : null;
        if (head is not null)
            MaskHead.Fix(head, points: 2);
        return new ImportanceGradients(options.Execution.FrugalSession, int.MaxValue).Collect(
            options.Importance, model, found, seen, head, options.Seed, (done, total) => progress.Advance(done, total, "pictures"), cancellation);
    }

    private PruningPlan Plan(ChannelGroups found, ChannelImportance ranking)
    {
        IReadOnlyList<ChannelGroup> wanted = [.. found.Groups.Where(g => options.Pruning.RatioOf(g.Kind) > 0)];
        PruningPlan plan = PruningPlanner.Plan(wanted, ranking.Score(wanted), options.Pruning);
        return plan.Groups.Count > 0
            ? plan
            : throw new SamCompressException(FailureKind.Unsupported, "no channel can go", found.Groups.Count == 0 ? found.Refused.Select(r => $"{r.Name}: {r.Reason}.").FirstOrDefault() : "raise --ratio.") { Location = options.Model };
    }

    /// <summary>Refits layers behind the first one that was cut, where the model has a value of the same shape.</summary>
    private RepairPlan Refit(Model teacher, Model pruned, CalibrationPictures pictures) => new RepairRun(new RepairSettings { Session = options.Execution.FrugalSession }).Run(
        teacher, pruned, RepairTargets.Of(teacher, pruned, teacher), () => new CalibrationSamples(pictures, progress, cancellation).ForEncoder(teacher), cancellationToken: cancellation);

    private PruneReport Report(ReportedModel source, Model model, ChannelGroups found, PruningPlan plan, Model pruned)
    {
        Dictionary<string, GroupPlan> plans = plan.Groups.ToDictionary(p => p.Group, StringComparer.Ordinal);
        (ModelCost before, ModelCost after) = (CostModel.Measure(model), CostModel.Measure(pruned));
        return new PruneReport
        {
            ToolVersion = CommandLine.Version,
            RuntimeVersion = OnnxSession.RuntimeVersion,
            Options = EffectiveOptions(),
            Model = source,
            Pruning = new ReportedPruning(
                [.. found.Groups.Select(g => ReportedGroup.Of(g, plans.GetValueOrDefault(g.Name)))], found.Refused, plan.Notes, before.Parameters, after.Parameters, before.Macs, after.Macs, null),
            Diagnostics = _context.Diagnostics,
            Passes = _passes,
            Stages = _clock.Stages,
            PeakMemoryBytes = ProcessMemory.Peak(),
        };
    }

    private void SetProvenance(Model model, string hash, CalibrationPictures? pictures, PruneReport report)
    {
        PruningOptions pruning = options.Pruning;
        model.SetMetadata(QuantizePass.MetadataPrefix + "version", CommandLine.Version);
        model.SetMetadata(QuantizePass.MetadataPrefix + "source-sha256", hash);
        if (pictures is not null)
            model.SetMetadata(QuantizePass.MetadataPrefix + "calibration-set-sha256", pictures.SetHash);
        model.SetMetadata(QuantizePass.MetadataPrefix + "pruning", string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Options["importance"]}, embedding {pruning.EmbeddingRatio}, attention {pruning.AttentionRatio}, mlp {pruning.MlpRatio}, conv {pruning.ConvRatio}"));
    }

    private SortedDictionary<string, object?> EffectiveOptions() => new(StringComparer.Ordinal)
    {
        ["embeddingRatio"] = options.Pruning.EmbeddingRatio,
        ["attentionRatio"] = options.Pruning.AttentionRatio,
        ["mlpRatio"] = options.Pruning.MlpRatio,
        ["convRatio"] = options.Pruning.ConvRatio,
        ["ranking"] = options.Pruning.Ranking.ToString().ToLowerInvariant(),
        ["normalization"] = options.Pruning.Normalization.ToString().ToLowerInvariant(),
        ["roundTo"] = options.Pruning.RoundTo,
        ["importance"] = importance is null ? options.Importance : "given",
        ["seed"] = options.Seed,
        ["repair"] = options.Repair,
        ["samples"] = options.Calibration.Samples,
        ["device"] = options.Execution.DeviceName,
        ["threads"] = options.Execution.Session.Threads,
        ["externalData"] = options.ExternalData.ToString().ToLowerInvariant(),
        ["minMiou"] = options.MinMeanIou,
        ["maxDrop"] = options.MaxDrop,
    };

    private void RunPasses(Model model, IReadOnlyList<Pass> passes) => _passes.AddRange(new PassPipeline(passes).Run(model, _context));
}
