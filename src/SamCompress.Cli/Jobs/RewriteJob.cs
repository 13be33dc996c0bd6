using SamCompress.Cli.Rendering;
using SamCompress.Cli.Rendering.Html;
using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Recipes;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Jobs;

/// <summary>
/// Rewrites attentions of an image encoder approximately: read, clean up, choose, rewrite, repair, write, judge. What is written is in the plain form that every job
/// reads again; a gate that is missed is no failure of the job, and is in the report.
/// </summary>
public sealed class RewriteJob(RewriteOptions options, IJobProgress progress, CancellationToken cancellation)
{
    private readonly StageClock _clock = new(progress, cancellation);
    private readonly PassContext _context = new() { Evaluator = new OnnxConstantEvaluator(), Cancellation = cancellation };
    private readonly List<PassRecord> _passes = [];

    /// <exception cref="SamCompressException">See reliability rules: usage, input, unsupported, output, runtime.</exception>
    public RewriteReport Run()
    {
        string name = Path.GetFileName(options.Output);
        var reports = new ReportFiles(name);
        using ArtifactWriter? writer = options.DryRun
            ? null
            : ArtifactWriter.Begin(options.Output, [name + ".data", .. reports.Names], options.Overwrite, [options.Model, .. new[] { options.Reference, options.Decoder }.OfType<string>()]);
        _clock.Start("read");
        using Model model = ModelSource.ReadEncoder(options.Model, options.Execution.Reading);
        writer?.RefuseInputs(model.Files);
        ReportedModel source = QuantizeJob.Describe(model, options.Model, FileHash.Of(model, options.Model), ModelSource.FileBytes(model, options.Model));
        using Model? reference = options.Reference is { } path ? ModelSource.ReadEncoder(path, options.Execution.Reading) : null;
        string teacherHash = FileHash.Of(reference ?? model, options.Teacher);
        string? decoder = Comparison.FindDecoder(options.Decoder, options.Teacher);

        _clock.Start("clean up");
        RunPasses(model, StandardPipeline.Cleanup);
        if (reference is not null)
            RunPasses(reference, StandardPipeline.Cleanup);
        SelfAttentionView view = SelfAttentionReader.Read(model);
        IReadOnlyList<(int Number, SelfAttention Attention)> selected = options.Step.Blocks.Selection.Of(view);
        ReportedAttention[] described = [.. selected.Select(a => ReportedAttention.Of(a.Number, a.Attention))];
        var rewrite = new ReportedRewrite(options.Step.ToString(), options.Step.Blocks.ToString(), described, [], null, CostModel.Measure(model).Macs, null);
        RewriteReport report = Draft(source, rewrite);
        if (writer is null)
            return report with { Rewrite = rewrite with { MacsAfter = Forecast(model) } };

        (CalibrationPictures pictures, bool isSmall) = (FittedStudent.Pictures(options.Calibration, teacherHash), Comparison.IsSmall(options.Teacher));
        (CalibrationPictures fitted, int choosing) = (pictures, 0);
        if (options.Step.Blocks.IsAuto)
        {
            fitted = pictures.HoldOutEvery(FittedStudent.HoldOutEvery);
            RewriteStage trials = Stage(model, reference ?? model, fitted);
            string[] judges = FittedStudent.Judges(fitted.HeldOut, isSmall);
            choosing = judges.Length;
            (IReadOnlyList<int> chosen, rewrite) = Choose(trials, rewrite, decoder, judges);
            report = report with { Rewrite = rewrite, Pictures = Describe(fitted, choosing) };
            if (chosen.Count == 0)
                return NothingToDo(report);
        }

        RewriteStage stage = Stage(model, reference ?? model, fitted);
        string[] heldOut = FittedStudent.Judges(pictures.HeldOut, isSmall);
        var student = new FittedStudent(options.Teacher, decoder, heldOut, options.Execution, _clock, progress, cancellation);
        _clock.Start("rewrite");
        RewrittenModel rewritten = stage.Rewrite(new AttentionSelection([.. rewrite.Attentions.Select(a => a.Number)]));
        rewrite = rewrite with { Attentions = [.. rewrite.Attentions.Where(a => rewritten.Blocks.ContainsKey(a.Number)).Select(a => a with { Became = rewritten.Blocks[a.Number] })] };
        if (rewritten.Blocks.Count == 0)
        {
            rewritten.Model.Dispose();
            return NothingToDo(report with { Rewrite = rewrite });
        }

        IReadOnlyList<PictureMasks> worst;
        (Model result, ReportedRepair? repair) = options.Step.Repair ? student.Repair(rewritten.Model, stage.Repair) : (rewritten.Model, null);
        using (result)
        {
            rewrite = rewrite with { Repair = repair, MacsAfter = CostModel.Measure(result).Macs };
            SetProvenance(result, teacherHash, fitted, rewrite);
            _clock.Start("write");
            IReadOnlyList<string> staged = writer.Save(result, name, options.ExternalData);
            _clock.Start("validate");
            (ReportedQuality quality, ReportedSpeed speed, worst) = student.Compare(staged[0], isSmall);
            report = report with
            {
                Artifact = QuantizeJob.Describe(result, options.Output, FileHash.Of(staged[0]), staged.Sum(f => new FileInfo(f).Length)),
                Rewrite = rewrite,
                Pictures = Describe(fitted, choosing),
                Quality = quality,
                Speed = speed,
                Gates = [.. ReportedGate.OfMasks(options.MinMeanIou, options.MaxDrop, quality.MeanIou)],
                Stages = _clock.Stages,
                PeakMemoryBytes = ProcessMemory.Peak(),
                Files = [.. staged.Select(f => Path.GetFileName(f)), .. reports.Names],
            };
        }

        reports.Write(writer, report, RewriteMarkdown.Render(report), ReportHtml.Render(report, new OverlayStage(_clock, cancellation).Run(worst)));
        cancellation.ThrowIfCancellationRequested();
        return report with { Files = writer.Commit() };
    }

    private RewriteStage Stage(Model model, Model teacher, CalibrationPictures? pictures) =>
        new(options.Step, model, teacher, pictures, options.Execution, _context, _passes, progress, cancellation);

    /// <summary>The cost if all that are chosen or may be chosen are rewritten; null when it depends on pictures.</summary>
    private MacCounts? Forecast(Model model)
    {
        if (options.Step.Kind == RewriteKind.LowRankPosition)
            return null;
        using Model after = Stage(model, model, null).Rewrite(options.Step.Blocks.Selection).Model;
        return CostModel.Measure(after).Macs;
    }

    private (IReadOnlyList<int> Chosen, ReportedRewrite Rewrite) Choose(RewriteStage stage, ReportedRewrite rewrite, string? decoder, string[] judges)
    {
        double wanted = options.Wanted ?? throw new SamCompressException(FailureKind.Usage, "the choice of blocks needs a gate", "give --min-miou or --max-drop.");
        if (decoder is null)
            throw new SamCompressException(FailureKind.Usage, "the choice of blocks is about masks, and there is no decoder beside the model", "name it with --decoder FILE.");
        if (judges.Length == 0)
            throw new SamCompressException(FailureKind.InputRejected, $"the choice of blocks needs {FittedStudent.HoldOutEvery} pictures or more", "give more with --calibration-data.");
        _clock.Start("choose blocks");
        using var judge = MaskJudge.Open(options.Teacher, decoder, judges, options.Execution, progress, cancellation);
        (IReadOnlyList<int> chosen, IReadOnlyList<ReportedTrial> trials) =
            new BlockSearch(stage, options.Step.Repair, judge, progress, cancellation).Run([.. rewrite.Attentions.Select(a => a.Number)], wanted);
        return (chosen, rewrite with { Attentions = [.. rewrite.Attentions.Where(a => chosen.Contains(a.Number))], Trials = trials });
    }

    /// <summary>No block is cheap enough, or no position needs fewer directions: nothing is written.</summary>
    private RewriteReport NothingToDo(RewriteReport report) =>
        report with { Gates = [ReportedGate.AtLeast("blocks-rewritten", 1, 0)], Stages = _clock.Stages, PeakMemoryBytes = ProcessMemory.Peak() };

    private static ReportedPictures Describe(CalibrationPictures fitted, int choosing) =>
        new(fitted.Source, fitted.SetHash, fitted.Calibration.Count - fitted.Skipped.Count, choosing, fitted.Skipped);

    /// <summary>What is known before anything was measured.</summary>
    private RewriteReport Draft(ReportedModel source, ReportedRewrite rewrite) => new()
    {
        ToolVersion = CommandLine.Version,
        RuntimeVersion = OnnxSession.RuntimeVersion,
        Options = EffectiveOptions(),
        Model = source,
        Artifact = null,
        Rewrite = rewrite,
        Pictures = null,
        Quality = null,
        Speed = null,
        Gates = [],
        Diagnostics = _context.Diagnostics,
        Passes = _passes,
        Stages = _clock.Stages,
        PeakMemoryBytes = ProcessMemory.Peak(),
        Files = [],
    };

    private static void SetProvenance(Model model, string teacherHash, CalibrationPictures fitted, ReportedRewrite rewrite)
    {
        const string key = QuantizePass.MetadataPrefix + "rewrites";
        string what = $"{rewrite.What}, blocks {string.Join(',', rewrite.Attentions.Select(a => a.Number))}{(rewrite.Repair is { Kept: true } ? ", repaired" : "")}";
        string? before = model.Metadata.FirstOrDefault(m => m.Key == key).Value;
        model.SetMetadata(QuantizePass.MetadataPrefix + "version", CommandLine.Version);
        model.SetMetadata(QuantizePass.MetadataPrefix + "source-sha256", teacherHash);
        model.SetMetadata(QuantizePass.MetadataPrefix + "calibration-set-sha256", fitted.SetHash);
        model.SetMetadata(key, before is null ? what : $"{before}; {what}");
    }

    private SortedDictionary<string, object?> EffectiveOptions() => new(StringComparer.Ordinal)
    {
        ["rewrite"] = options.Step.ToString(),
        ["blocks"] = options.Step.Blocks.ToString(),
        ["repair"] = options.Step.Repair,
        ["samples"] = options.Calibration.Samples,
        ["device"] = options.Execution.DeviceName,
        ["threads"] = options.Execution.Session.Threads,
        ["externalData"] = options.ExternalData.ToString().ToLowerInvariant(),
        ["minMiou"] = options.MinMeanIou ?? options.Step.MinMiou,
        ["maxDrop"] = options.MaxDrop,
    };

    private void RunPasses(Model model, IReadOnlyList<Pass> passes) => _passes.AddRange(new PassPipeline(passes).Run(model, _context));
}
