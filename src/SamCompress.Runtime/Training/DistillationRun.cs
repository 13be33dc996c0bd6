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
    /// <summary>So many pictures say how large the values of a teacher are.</summary>
    private const int PicturesForScale = 8;

    /// <param name="student">Cleaned up and fused; stays as it is. Its values have the names of the teachers'.</param>
    /// <param name="teachers">In the numbering of <see cref="ObjectiveTerm.Teacher"/>. They take the inputs of the student.</param>
    /// <param name="pictures">Their views are the student's first input.</param>
    /// <param name="validate">The score of a student; higher is better.</param>
    /// <exception cref="SamCompressException">A picture cannot be read, an operator has no gradient, the loss is not finite, or ONNX Runtime failed.</exception>
    public DistilledModel Run(
        Model student,
        IReadOnlyList<Model> teachers,
        DistillationObjective objective,
        TrainingPictures pictures,
        Func<Model, double>? validate = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teachers);
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(pictures);
        string input = student.Graph.Inputs[0].Name;
        var open = new List<FeatureTeacher>();
        try
        {
            for (int i = 0; i < teachers.Count; i++)
                open.Add(FeatureTeacher.Open(teachers[i], objective.Terms.Where(t => t.Teacher == i).Select(t => t.Feature), settings.Session));
            IReadOnlyList<LossTerm> terms = Terms(objective, open, pictures, input, cancellationToken);
            using TrainingGraph graph = TrainingGraph.Build(student, terms, settings.Optimizer);
            TrainerOptions options = Options(objective, terms, pictures);
            TrainingOutcome outcome = new Trainer(graph, options, settings.Session).Run(
                draw => Sample(draw, objective, terms, open, pictures, input, cancellationToken), Score(student, validate), progress, cancellationToken);
            return new DistilledModel(TrainedModel.Of(student, outcome.Weights), outcome);
        }
        finally
        {
            foreach (FeatureTeacher teacher in open)
                teacher.Dispose();
        }
    }

    private TrainingSample Sample(
        SampleDraw draw, DistillationObjective objective, IReadOnlyList<LossTerm> terms, List<FeatureTeacher> teachers, TrainingPictures pictures, string input, CancellationToken cancellationToken)
    {
        var inputs = new Dictionary<string, RuntimeTensor> { [input] = pictures.Input(draw.Index, View(draw.Epoch, draw.Index, pictures), cancellationToken) };
        var targets = new Dictionary<string, RuntimeTensor>(StringComparer.Ordinal);
        for (int t = 0; t < teachers.Count; t++)
        {
            using RuntimeTensors shown = teachers[t].Show(inputs, cancellationToken);
            foreach ((LossTerm term, ObjectiveTerm wanted) in terms.Zip(objective.Terms).Where(p => p.Second.Teacher == t))
                targets[term.Name] = shown.Detach(wanted.Feature);
        }

        return new TrainingSample(inputs, targets);
    }

    /// <summary>The seed of the view of a picture in an epoch.</summary>
    private ulong View(long epoch, int picture, TrainingPictures pictures) => unchecked((settings.Seed << 40) + (ulong)((epoch * pictures.Pictures.Paths.Count) + picture));

    /// <summary>The terms with the scales that bring each to the magnitude of its teacher's values.</summary>
    private LossTerm[] Terms(DistillationObjective objective, List<FeatureTeacher> teachers, TrainingPictures pictures, string input, CancellationToken cancellationToken)
    {
        var sums = new double[objective.Terms.Count];
        int count = Math.Min(PicturesForScale, pictures.Pictures.Paths.Count);
        for (int picture = 0; picture < count; picture++)
        {
            using RuntimeTensor view = pictures.Input(picture, View(0, picture, pictures), cancellationToken);
            for (int t = 0; t < teachers.Count; t++)
            {
                using RuntimeTensors shown = teachers[t].Show(new Dictionary<string, RuntimeTensor> { [input] = view }, cancellationToken);
                for (int i = 0; i < sums.Length; i++)
                {
                    if (objective.Terms[i].Teacher == t)
                        sums[i] += Magnitude(shown[objective.Terms[i].Feature].As<float>(), objective.Terms[i].Kind) / count;
                }
            }
        }

        return
        [
            .. objective.Terms.Select((term, i) => new LossTerm(term.Feature)
            {
                Name = string.Create(CultureInfo.InvariantCulture, $"{term.Feature}@{term.Teacher}"),
                Kind = term.Kind,
                Scale = sums[i] > 0 ? (float)(1 / sums[i]) : 1,
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
