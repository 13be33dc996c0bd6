using System.Diagnostics;
using SamCompress.Cli.Rendering;
using SamCompress.Cli.Rendering.Html;
using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Passes.Distillation;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Recipes;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Training;

namespace SamCompress.Cli.Jobs;

/// <summary>What a student is to learn; see <see cref="DistillationObjective"/>.</summary>
public enum DistillObjective
{
    /// <summary>The embedding, by squared differences.</summary>
    Embedding,

    /// <summary>The embedding, by absolute differences.</summary>
    EmbeddingL1,

    /// <summary>One layer after the other, then the embedding.</summary>
    Layers,

    /// <summary>The embedding, and the masks that the decoder makes of it.</summary>
    Masks,
}

public sealed record DistillOptions
{
    /// <summary>The student.</summary>
    public required string Model { get; init; }

    public required string Teacher { get; init; }

    public required string Output { get; init; }

    public DistillObjective Objective { get; init; }

    /// <summary>For <see cref="DistillObjective.Masks"/>: how many masks are asked for of each picture.</summary>
    public int Prompts { get; init; } = 8;

    /// <summary>For <see cref="DistillObjective.Masks"/>: what masks weigh, where the embedding weighs 1.</summary>
    public double MaskWeight { get; init; } = 0.1;

    /// <summary>What the student is to be quantized to afterwards, which it learns to bear; null for a student that stays float.</summary>
    public QuantizationRequest? Quantization { get; init; }

    /// <summary>Whether layers are trained too that compute what the teacher's do, before the first that does not.</summary>
    public bool TrainsUnchanged { get; init; }

    public DistillStep Step { get; init; } = new();

    /// <summary>Where the training is kept, to go on from; null keeps nothing.</summary>
    public string? State { get; init; }

    public bool Overwrite { get; init; }

    public ExternalDataMode ExternalData { get; init; }

    /// <summary>Null to look beside the teacher.</summary>
    public string? Decoder { get; init; }

    /// <summary>Only which pictures counts.</summary>
    public CalibrationRequest Calibration { get; init; } = new();

    public ExecutionRequest Execution { get; init; } = new();

    public double? MinMeanIou { get; init; }

    /// <summary>By how much the mean mask IoU may drop from 1.</summary>
    public double? MaxDrop { get; init; }
}

/// <summary>
/// Lets an approximate encoder learn from the one it was made of: read, clean up, train, write, judge. Gradients are computed by a graph in ONNX Runtime. A gate that is missed is no failure of
/// the job, and is in the report.
/// </summary>
public sealed class DistillJob(DistillOptions options, IJobProgress progress, CancellationToken cancellation)
{
    private readonly StageClock _clock = new(progress, cancellation);

    /// <exception cref="SamCompressException">See reliability rules: usage, input, unsupported, output, runtime.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; what was learned is in the state, if one is kept.</exception>
    public DistillReport Run()
    {
        string name = Path.GetFileName(options.Output);
        var reports = new ReportFiles(name);
        using ArtifactWriter writer = ArtifactWriter.Begin(
            options.Output, [name + ".data", .. reports.Names], options.Overwrite, [options.Model, options.Teacher, .. new[] { options.Decoder, options.State }.OfType<string>()]);
        _clock.Start("read");
        using Model student = ModelSource.ReadEncoder(options.Model, options.Execution.Reading), teacher = ModelSource.ReadEncoder(options.Teacher, options.Execution.Reading);
        writer.RefuseInputs([.. student.Files, .. teacher.Files]);
        ReportedModel source = Describe(student, options.Model), taught = Describe(teacher, options.Teacher);
        string? decoder = Comparison.FindDecoder(options.Decoder, options.Teacher);
        var set = TrainingSet.Choose(options.Calibration, taught.Sha256);
        _clock.Start("clean up");
        var passes = TrainableModel.Prepare(student, cancellation).Concat(TrainableModel.Prepare(teacher, cancellation)).ToList();
        DistillationObjective objective = Objective(student, teacher);
        using Model? head = options.Objective == DistillObjective.Masks ? Head(decoder) : null;

        using Model? learner = options.Quantization is { } request ? new FakeQuantizationStage(request, options.Execution, _clock, progress, cancellation).Run(student, options.Model, set) : null;
        _clock.Start("learn");
        using var training = new TrainingStage(options.Teacher, decoder, set, options.Step, options.State, student.Graph.Inputs[0], 1, options.Execution, progress, cancellation);
        long start = Stopwatch.GetTimestamp();
        double before = training.Score(learner ?? student);
        IReadOnlyList<Value> frozen = options.TrainsUnchanged ? [] : TrainableModel.UnchangedWeights(learner ?? student, teacher, cancellation);
        DistilledModel learned = new DistillationRun(Settings(training, student, frozen)).Run(learner ?? student, [teacher], objective, training.Pictures, training.Score, training.Progress, head, cancellation);
        bool isBetter = learned.Outcome.Best is not { } best || best.Score > before;
        using Model trained = learned.Model, result = isBetter ? TrainedModel.Of(student, learned.Outcome.Weights) : ModelCopy.Of(student);
        ReportedTraining report = training.Take(options.Objective.ToString(), before, learned.Outcome, Stopwatch.GetElapsedTime(start).TotalSeconds);
        SetProvenance(result, taught.Sha256, report);

        _clock.Start("write");
        IReadOnlyList<string> staged = writer.Save(result, name, options.ExternalData);
        _clock.Start("validate");
        (ReportedQuality quality, ReportedSpeed speed, IReadOnlyList<PictureMasks> worst) = new FittedStudent(options.Teacher, decoder, [.. set.HeldOut.Paths], options.Execution, _clock, progress, cancellation)
            .Compare(staged[0], Comparison.IsSmall(options.Teacher));
        var done = new DistillReport
        {
            ToolVersion = CommandLine.Version,
            RuntimeVersion = OnnxSession.RuntimeVersion,
            Options = EffectiveOptions(),
            Model = source,
            Teacher = taught,
            Artifact = QuantizeJob.Describe(result, options.Output, FileHash.Of(staged[0]), staged.Sum(f => new FileInfo(f).Length)),
            Training = report,
            FrozenParameters = frozen.Where(v => v.ElementType == ElementType.Float).Sum(v => v.Initializer!.Count),
            Quality = quality,
            Speed = speed,
            Gates = [.. ReportedGate.OfMasks(options.MinMeanIou, options.MaxDrop, quality.MeanIou)],
            Diagnostics = isBetter
                ? []
                : [new Diagnostic("SC1401", Severity.Warning, options.Model, "no validation was better than the student was before, so its weights stay as they were: train longer, or with another learning rate")],
            Passes = passes,
            Stages = _clock.Stages,
            PeakMemoryBytes = ProcessMemory.Peak(),
            Files = [.. staged.Select(f => Path.GetFileName(f)), .. reports.Names],
        };
        reports.Write(writer, done, DistillMarkdown.Render(done), ReportHtml.Render(done, new OverlayStage(_clock, cancellation).Run(worst)));
        cancellation.ThrowIfCancellationRequested();
        return done with { Files = writer.Commit() };
    }

    private static ReportedModel Describe(Model model, string path) => QuantizeJob.Describe(model, path, FileHash.Of(model, path), ModelSource.FileBytes(model, path));

    /// <summary>Of the values that both have in one shape.</summary>
    private DistillationObjective Objective(Model student, Model teacher)
    {
        EncoderFeatures own = EncoderFeatures.Of(student), wanted = EncoderFeatures.Of(teacher);
        if (!Equals(own.Embedding.Shape, wanted.Embedding.Shape) || own.Embedding.Name != wanted.Embedding.Name)
        {
            throw new SamCompressException(
                FailureKind.Unsupported, $"the student gives {own.Embedding}, the teacher {wanted.Embedding}", "give the model that the student was made of as --teacher.")
            { Location = options.Model };
        }

        if (options.Objective == DistillObjective.Masks)
            return DistillationObjective.OfMasks(own, options.MaskWeight);
        if (options.Objective != DistillObjective.Layers)
            return DistillationObjective.OfEmbedding(own, options.Objective == DistillObjective.Embedding ? LossKind.Squared : LossKind.Absolute);
        Dictionary<string, Shape?> shapes = wanted.Stream.ToDictionary(v => v.Name, v => v.Shape, StringComparer.Ordinal);
        Value[] common = [.. own.Stream.Where(v => shapes.TryGetValue(v.Name, out Shape? shape) && Equals(shape, v.Shape))];
        return common.Length > 1
            ? DistillationObjective.OfLayers(own with { Stream = common }, LossKind.Squared)
            : throw new SamCompressException(FailureKind.Unsupported, "student and teacher have no layers of one name and shape", "use --objective embedding.") { Location = options.Model };
    }

    /// <summary>The weights of the student are trained; the scales of fake quantizers are not.</summary>
    private static DistillationSettings Settings(TrainingStage training, Model student, IEnumerable<Value> frozen)
    {
        HashSet<string> weights = [.. student.Graph.Initializers.Select(i => i.Name).Except(frozen.Select(f => f.Name))];
        return training.Settings with { Optimizer = training.Settings.Optimizer with { Trainable = weights.Contains } };
    }

    private Model Head(string? decoder)
    {
        if (decoder is null)
            throw new SamCompressException(FailureKind.Usage, "masks are learned with the mask decoder, and there is none beside the teacher", "name it with --decoder FILE.");
        Model head = ModelSource.ReadDecoder(decoder, options.Execution.Reading);
        try
        {
            MaskHead.Fix(head, DistillationRun.DecoderPoints, options.Prompts);
            return head;
        }
        catch
        {
            head.Dispose();
            throw;
        }
    }

    private void SetProvenance(Model model, string teacherHash, ReportedTraining training)
    {
        model.SetMetadata(QuantizePass.MetadataPrefix + "version", CommandLine.Version);
        model.SetMetadata(QuantizePass.MetadataPrefix + "source-sha256", teacherHash);
        model.SetMetadata(QuantizePass.MetadataPrefix + "distilled", string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"{options.Objective}{(options.Quantization is { } request ? $" for {request.Precision.Name}" : "")}, {options.Step.Updates} updates of {options.Step.Batch} of {training.Learned} pictures, seed {options.Step.Seed}"));
    }

    private SortedDictionary<string, object?> EffectiveOptions() => new(StringComparer.Ordinal)
    {
        ["objective"] = options.Objective.ToString(),
        ["precision"] = options.Quantization?.Precision.Name,
        ["target"] = options.Quantization?.Target,
        ["prompts"] = options.Objective == DistillObjective.Masks ? options.Prompts : null,
        ["maskWeight"] = options.Objective == DistillObjective.Masks ? options.MaskWeight : null,
        ["train"] = options.TrainsUnchanged ? "all" : "changed",
        ["updates"] = options.Step.Updates,
        ["learningRate"] = options.Step.LearningRate,
        ["batch"] = options.Step.Batch,
        ["weightDecay"] = options.Step.WeightDecay,
        ["leastArea"] = options.Step.LeastArea,
        ["strongAugmentation"] = options.Step.StrongAugmentation,
        ["seed"] = options.Step.Seed,
        ["device"] = options.Execution.DeviceName,
        ["threads"] = options.Execution.Session.Threads,
        ["externalData"] = options.ExternalData.ToString().ToLowerInvariant(),
        ["minMiou"] = options.MinMeanIou,
        ["maxDrop"] = options.MaxDrop,
    };
}
