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

    /// <summary>What the term is multiplied by besides its weight: what brings terms of different magnitude to one.</summary>
    public float Scale { get; init; } = 1;
}
