using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Passes.Distillation;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Pruning.Importance;

namespace SamCompress.Runtime.Training;

/// <summary>How a model is slimmed.</summary>
public sealed record SlimmingSettings
{
    /// <summary>The share of the embedding dimension, of each head and of each hidden layer that goes.</summary>
    public required double Ratio { get; init; }

    /// <summary>One of <see cref="ImportanceCriteria.All"/>.</summary>
    public string Importance { get; init; } = ImportanceCriteria.DisturbedTaylor;

    /// <summary>
    /// Whether the embedding dimension goes first and the bottlenecks after a distillation, as SlimSAM does; else both go at once.
    /// </summary>
    public bool IsAlternate { get; init; } = true;

    /// <summary>Among the bottlenecks: of all blocks together, or of each by itself.</summary>
    public PruningRanking Ranking { get; init; } = PruningRanking.Local;

    public ScoreNormalization Normalization { get; init; } = ScoreNormalization.Gaussian;

    /// <summary>See <see cref="PruningOptions.RoundTo"/>.</summary>
    public int RoundTo { get; init; } = 1;

    /// <summary>How many pictures the gradients of the importance are summed up over, at most.</summary>
    public int ImportancePictures { get; init; } = 200;

    /// <summary>For all phases together; they share the updates evenly. The checkpoint gets the number of the phase behind its name.</summary>
    public required DistillationSettings Distillation { get; init; }
}

/// <summary>One pruning and the distillation behind it.</summary>
/// <param name="Name">What was pruned: <c>embedding</c>, <c>bottlenecks</c> or <c>all</c>.</param>
/// <param name="ScorePruned">The score between the two; null when nothing is validated.</param>
public sealed record SlimmingPhase(string Name, PruningPlan Plan, double? ScorePruned, TrainingOutcome Outcome);

/// <summary>A model that was slimmed.</summary>
/// <param name="Model">Holds copies of all weights that were trained; others are those of the original, which must live longer.</param>
public sealed record SlimmedModel(Model Model, IReadOnlyList<SlimmingPhase> Phases);

/// <summary>
/// Alternate slimming: prune the embedding dimension, align the bottlenecks, prune the bottlenecks, align the embeddings. Gradients come from the graph itself, and labels from
/// the original.
/// </summary>
/// <remarks>
/// Source: SlimSAM (arXiv 2312.05284), sections 3.2 to 3.4. Unlike the released code, tables of relative positions are sliced, not set to zero, and the scale of logits stays: both keep what
/// the channels that stay compute.
/// </remarks>
public sealed class SlimmingRun(SlimmingSettings settings)
{
    /// <param name="original">Cleaned up and fused; stays as it is.</param>
    /// <param name="decoder">For importance by masks: see <see cref="MaskHead.Fix"/>. Null when there is none.</param>
    /// <param name="stage">Told of what begins.</param>
    /// <param name="importance">Told of the pictures that a ranking has seen, of how many.</param>
    /// <param name="phaseDone">Told of what has ended.</param>
    /// <inheritdoc cref="DistillationRun.Run"/>
    public SlimmedModel Run(
        Model original,
        Model? decoder,
        TrainingPictures pictures,
        Func<Model, double>? validate = null,
        Action<string>? stage = null,
        Action<int, int>? importance = null,
        Action<SlimmingPhase>? phaseDone = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(original);
        ArgumentNullException.ThrowIfNull(pictures);
        var all = new PruningOptions
        {
            EmbeddingRatio = settings.Ratio,
            AttentionRatio = settings.Ratio,
            MlpRatio = settings.Ratio,
            ConvRatio = settings.Ratio,
            Ranking = settings.Ranking,
            Normalization = settings.Normalization,
            RoundTo = settings.RoundTo,
        };
        var phases = new List<SlimmingPhase>();
        var models = new List<Model> { original };
        try
        {
            if (settings.IsAlternate)
            {
                Phase("embedding", all with { AttentionRatio = 0, MlpRatio = 0, ConvRatio = 0 }, student => (DistillationObjective.OfBottlenecks(EncoderFeatures.Of(student)), [original]));
                Phase("bottlenecks", all with { EmbeddingRatio = 0 }, student => (DistillationObjective.OfStream(EncoderFeatures.Of(student)), [original, models[^1]]));
            }
            else
            {
                Phase("all", all, student => (DistillationObjective.OfEmbedding(EncoderFeatures.Of(student), LossKind.Squared), [original]));
            }

            return new SlimmedModel(models[^1], phases);
        }
        finally
        {
            foreach (Model between in models.Skip(1).SkipLast(1))
                between.Dispose();
        }

        void Phase(string name, PruningOptions options, Func<Model, (DistillationObjective Objective, IReadOnlyList<Model> Teachers)> objective)
        {
            stage?.Invoke($"rank {name}");
            ChannelGroups groups = ChannelGroupFinder.Find(models[^1]);
            ChannelImportance scores = new ImportanceGradients(settings.Distillation.Session, settings.ImportancePictures)
                .Collect(settings.Importance, models[^1], groups, pictures, decoder, (int)settings.Distillation.Seed, importance, cancellationToken);
            PruningPlan plan = PruningPlanner.Plan(groups.Groups, scores.Score(groups.Groups), options);
            using Model student = Prune(models[^1], plan, cancellationToken);
            double? pruned = validate?.Invoke(student);
            stage?.Invoke($"align behind {name}");
            (DistillationObjective terms, IReadOnlyList<Model> teachers) = objective(student);
            DistilledModel distilled = new DistillationRun(Settings(phases.Count)).Run(student, teachers, terms, pictures, validate, progress, cancellationToken: cancellationToken);
            models.Add(distilled.Model);
            phases.Add(new SlimmingPhase(name, plan, pruned, distilled.Outcome));
            phaseDone?.Invoke(phases[^1]);
        }
    }

    /// <summary>A copy without the channels that a plan does not keep, with its shapes.</summary>
    private static Model Prune(Model model, PruningPlan plan, CancellationToken cancellationToken)
    {
        Model pruned = ModelCopy.Of(model);
        new PassPipeline(StandardPipeline.Prune(plan)).Run(pruned, new PassContext { Cancellation = cancellationToken });
        return pruned;
    }

    private DistillationSettings Settings(int phase) => settings.Distillation with
    {
        Updates = Math.Max(1, settings.Distillation.Updates / (settings.IsAlternate ? 2 : 1)),
        Checkpoint = settings.Distillation.Checkpoint is { } file ? $"{file}.{phase + 1}" : null,
    };
}
