namespace SamCompress.Passes.Differentiation.Training;

/// <summary>How a value of the student is compared with its target.</summary>
public enum LossKind
{
    /// <summary>The mean of (s - t)² over all elements.</summary>
    Squared,

    /// <summary>The mean of |s - t| over all elements.</summary>
    Absolute,
}

/// <summary>
/// One term of a loss: how far a value of the student is from a target of the same shape, which becomes an input of the graph. So is the weight of the term,
/// which thereby may change from step to step.
/// </summary>
/// <param name="Value">The name of a float value of the student.</param>
public sealed record LossTerm(string Value)
{
    /// <summary>Tells the terms apart; two terms may hold one value to two targets.</summary>
    public string Name { get; init; } = Value;

    public LossKind Kind { get; init; }

    /// <summary>
    /// For masks [..,H,W]: the number from which on an element belongs to one. Each mask then counts with H = sigmoid((U + 1) / (I + 1) - 1), I and U the elements of the intersection
    /// and of the union with the target: from 1/2 for one that is right to 1 for one that is wrong. Null weighs all alike.
    /// </summary>
    /// <remarks>TinySAM (arXiv 2312.13789), equation 8, with the teacher's mask in the place of the true one, of which the IoU of the teacher's is 1, and one element more for its epsilon.</remarks>
    public float? HardMaskThreshold { get; init; }

    /// <summary>What the term is multiplied by besides its weight: what brings terms of different magnitude to one.</summary>
    public float Scale { get; init; } = 1;
}
