namespace SamCompress.Passes.Differentiation.Training;

/// <summary>What is trained, and how AdamW steps.</summary>
public sealed record TrainingOptions
{
    public static TrainingOptions Default { get; } = new();

    public double Beta1 { get; init; } = 0.9;

    public double Beta2 { get; init; } = 0.999;

    public double Epsilon { get; init; } = 1e-8;

    /// <summary>
    /// Decoupled from the gradient: a weight shrinks by this share of the learning rate in each step. Only weights that are an operand of a product shrink (MatMul, Gemm,
    /// convolutions), so that biases, normalizations and tables of positions do not.
    /// </summary>
    public double WeightDecay { get; init; }

    /// <summary>The largest norm of all gradients together; null for no limit.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>The number of pictures whose gradients are averaged for one update.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>Whether activations between checkpoints are computed again when the backward graph needs them: less memory for a third more time.</summary>
    public bool Recomputes { get; init; }

    /// <summary>Which weights are trained, by name; null for all.</summary>
    public Func<string, bool>? Trainable { get; init; }

    /// <summary>Which weights do not shrink although they are operands of products, by name; null for none.</summary>
    public Func<string, bool>? WithoutDecay { get; init; }
}
