using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Passes.Distillation;
using SamCompress.Runtime.Inference;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Runtime.Training;

/// <summary>How long and how fast a student learns.</summary>
public sealed record DistillationSettings
{
    /// <summary>The number of updates of the weights.</summary>
    public required long Updates { get; init; }

    /// <summary>The greatest one: it rises to it in the first twentieth of the updates and falls to nothing along half a cosine.</summary>
    public double LearningRate { get; init; } = 1e-3;

    public TrainingOptions Optimizer { get; init; } = new() { WeightDecay = 1e-4, ClipNorm = 1 };

    /// <summary>Decides the order of the pictures and how each is varied.</summary>
    public ulong Seed { get; init; }

    /// <summary>In updates; 0 validates at the end only.</summary>
    public long ValidateEvery { get; init; }

    /// <summary>See <see cref="TrainerOptions.Checkpoint"/>.</summary>
    public string? Checkpoint { get; init; }

    /// <inheritdoc cref="TrainerOptions.CheckpointEvery"/>
    public long CheckpointEvery { get; init; } = 500;

    public SessionSettings Session { get; init; } = SessionSettings.Default;
}

/// <summary>A student that has learned.</summary>
/// <param name="Model">A copy: its big tensors that were not trained are those of the student, which must live longer.</param>
public sealed record DistilledModel(Model Model, TrainingOutcome Outcome);

/// <summary>Lets a student learn from teachers, which run on each picture it sees.</summary>
/// <remarks>Sources: SlimSAM (arXiv 2312.05284), SAM-Lightening (2403.09195), EfficientViT-SAM (2402.05008), TinySAM (2312.13789).</remarks>
public sealed class DistillationRun(DistillationSettings settings)
{
    /// <summary>The points of each prompt, for <see cref="MaskHead.Fix"/>.</summary>
    public const int DecoderPoints = HardPrompts.PointCount;

    /// <summary>So many pictures say how large the values of a teacher are.</summary>
    private const int PicturesForScale = 8;

    /// <param name="student">Cleaned up and fused; stays as it is. Its values have the names of the teachers'.</param>
    /// <param name="teachers">In the numbering of <see cref="ObjectiveTerm.Teacher"/>. They take the inputs of the student.</param>
    /// <param name="pictures">Their views are the student's first input.</param>
    /// <param name="validate">The score of a student; higher is better.</param>
    /// <param name="decoder">For an objective with masks: fixed for <see cref="DecoderPoints"/> points; its weights stay as they are.</param>
    /// <exception cref="SamCompressException">A picture cannot be read, an operator has no gradient, the loss is not finite, or ONNX Runtime failed.</exception>
    public DistilledModel Run(
        Model student,
        IReadOnlyList<Model> teachers,
        DistillationObjective objective,
        TrainingPictures pictures,
        Func<Model, double>? validate = null,
        IProgress<TrainingProgress>? progress = null,
        Model? decoder = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teachers);
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(pictures);
        using MaskLesson? lesson = objective.Terms.Any(t => t.IsOfMasks)
            ? MaskLesson.Open(student, decoder ?? throw new InvariantException("masks are learned with a decoder"), settings.Session)
            : null;
        using var samples = new DistillationSamples(student, teachers, objective, pictures, lesson, settings.Seed, settings.Session);
        samples.Open();
        IReadOnlyList<LossTerm> terms = Terms(objective, samples, Math.Min(PicturesForScale, pictures.Pictures.Paths.Count), lesson, cancellationToken);
        using TrainingGraph graph = lesson is null ? TrainingGraph.Build(student, terms, settings.Optimizer) : TrainingGraph.Build(lesson.Joined, terms, settings.Optimizer with { Trainable = Trainable(lesson) });
        using CurrentStudent? current = lesson is null ? null : CurrentStudent.Open(student, graph.State.Where(s => s.Kind == StateKind.Weight).Select(s => s.Parameter), settings.Session);
        string[] names = [.. terms.Select(t => t.Name)];
        TrainingOutcome outcome = new Trainer(graph, Options(objective, terms, pictures), settings.Session).Run(
            (draw, weights) => samples.Of(draw, input => current!.Run(weights, input, cancellationToken), names, cancellationToken), Score(student, validate), progress, cancellationToken);
        return new DistilledModel(TrainedModel.Of(student, outcome.Weights), outcome);
    }

    /// <summary>The weights of the student, and of these only those that are to be trained anyway.</summary>
    private Func<string, bool> Trainable(MaskLesson lesson) => weight => lesson.Trains(weight) && (settings.Optimizer.Trainable?.Invoke(weight) ?? true);

    /// <summary>The terms with the scales that bring each to the magnitude of its teacher's values.</summary>
    private static LossTerm[] Terms(DistillationObjective objective, DistillationSamples samples, int pictures, MaskLesson? lesson, CancellationToken cancellationToken)
    {
        string[] names = [.. objective.Terms.Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Feature}@{t.Teacher}"))];
        var sums = new double[names.Length];
        for (int picture = 0; picture < pictures; picture++)
        {
            using TrainingSample sample = samples.Of(new SampleDraw(0, picture), embed: null, names, cancellationToken);
            for (int i = 0; i < sums.Length; i++)
                sums[i] += Magnitude(sample.Targets[names[i]].As<float>(), objective.Terms[i].Kind) / pictures;
        }

        return
        [
            .. objective.Terms.Select((term, i) => new LossTerm(term.IsOfMasks ? lesson!.Masks : term.Feature)
            {
                Name = names[i],
                Kind = term.Kind,
                Scale = sums[i] > 0 ? (float)(1 / sums[i]) : 1,
                HardMaskThreshold = term.IsOfMasks ? MaskLesson.Threshold : null,
            }),
        ];
    }

    private static double Magnitude(ReadOnlySpan<float> values, LossKind kind) =>
        (kind == LossKind.Squared ? TensorPrimitives.SumOfSquares(values) : TensorPrimitives.SumOfMagnitudes(values)) / (double)values.Length;

    private TrainerOptions Options(DistillationObjective objective, IReadOnlyList<LossTerm> terms, TrainingPictures pictures)
    {
        int count = pictures.Pictures.Paths.Count;
        long epochs = Math.Max(1, ((settings.Updates * settings.Optimizer.Accumulation) + count - 1) / count);
        IReadOnlyList<double>[] weights = [.. Enumerable.Range(0, (int)epochs).Select(e => objective.Weights(e / (double)epochs))];
        return new TrainerOptions
        {
            PictureCount = count,
            Updates = settings.Updates,
            LearningRate = new CosineRate(settings.LearningRate, settings.Updates, WarmUp: settings.Updates / 20),
            Seed = settings.Seed,
            TermWeights = terms.Select((term, i) => (term.Name, Weights: (IReadOnlyList<float>)[.. weights.Select(w => (float)w[i])])).ToDictionary(t => t.Name, t => t.Weights, StringComparer.Ordinal),
            ValidateEvery = settings.ValidateEvery,
            Checkpoint = settings.Checkpoint,
            CheckpointEvery = settings.CheckpointEvery,
            DataIdentity = string.Join('|', [pictures.Augmentation?.ToString() ?? "", .. pictures.Pictures.Paths.Select(Path.GetFileName)]),
        };
    }

    private static Func<IReadOnlyDictionary<string, Tensor>, double>? Score(Model student, Func<Model, double>? validate) => validate is null ? null : weights =>
    {
        using Model model = TrainedModel.Of(student, weights);
        return validate(model);
    };
}
