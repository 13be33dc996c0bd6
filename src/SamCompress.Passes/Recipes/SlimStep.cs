using SamCompress.Passes.Pruning;
using SamCompress.Passes.Pruning.Importance;

namespace SamCompress.Passes.Recipes;

/// <summary>How a recipe slims a model: prunes its channels and lets it learn from what it was.</summary>
public sealed record SlimStep
{
    /// <summary>The share of the channels that goes: of the embedding dimension, of each head, of each hidden layer.</summary>
    public required double Ratio { get; init; }

    /// <summary>By what channels are ranked.</summary>
    public string Importance { get; init; } = ImportanceCriteria.DisturbedTaylor;

    /// <summary>Whether embedding and bottlenecks are pruned one after the other, with a distillation behind each; else at once.</summary>
    public bool Alternate { get; init; } = true;

    public PruningRanking Ranking { get; init; } = PruningRanking.Local;

    public ScoreNormalization Normalization { get; init; } = ScoreNormalization.Gaussian;

    /// <summary>The widths that stay are rounded down to a multiple of it.</summary>
    public int RoundTo { get; init; } = 1;

    /// <summary>How many pictures the gradients of the importance are summed up over, at most.</summary>
    public int ImportancePictures { get; init; } = 200;

    public DistillStep Distillation { get; init; } = new();

    /// <summary>What is wrong with the step, or null.</summary>
    public string? Contradiction() =>
        Ratio is not (> 0 and < 1) ? "ratio must be over 0 and below 1"
        : !ImportanceCriteria.All.Contains(Importance) ? $"importance '{Importance}' is none of {string.Join(", ", ImportanceCriteria.All)}"
        : RoundTo < 1 || ImportancePictures < 1 ? "roundTo and importancePictures must be at least 1"
        : Distillation.Contradiction();
}

/// <summary>How long and how fast a student learns.</summary>
public sealed record DistillStep
{
    /// <summary>Of the weights.</summary>
    public long Updates { get; init; } = 4000;

    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Pictures for one update.</summary>
    public int Batch { get; init; } = 1;

    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>The least share of a picture that is shown; 1 shows all of every picture, not mirrored.</summary>
    public double LeastArea { get; init; } = 0.3;

    /// <summary>Whether pictures are also turned by quarters, upside down and seen in other light.</summary>
    public bool StrongAugmentation { get; init; }

    public int Seed { get; init; }

    /// <summary>What is wrong with the step, or null.</summary>
    public string? Contradiction() =>
        Updates < 1 || Batch < 1 ? "updates and batch must be at least 1"
        : LearningRate is not (> 0 and <= 1) ? "learningRate must be over 0 and at most 1"
        : WeightDecay is not (>= 0 and < 1) ? "weightDecay must be at least 0 and below 1"
        : LeastArea is not (> 0 and <= 1) ? "leastArea must be over 0 and at most 1"
        : null;
}
