using SamCompress.IR;

namespace SamCompress.Passes.Differentiation;

/// <summary>How gradients are built.</summary>
public sealed record DifferentiationOptions
{
    public static DifferentiationOptions Default { get; } = new();

    /// <summary>
    /// Values of the forward graph that are kept until the backward graph reads them; what lies between two of them is computed again when it
    /// gets there, which trades time for memory. Empty: everything is kept. Good ones: <see cref="Checkpoints.Find"/>.
    /// </summary>
    public IReadOnlyCollection<Value> Checkpoints { get; init; } = [];
}
