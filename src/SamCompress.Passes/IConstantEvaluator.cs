using SamCompress.IR;

namespace SamCompress.Passes;

/// <summary>Runs a small model that has no inputs, so that passes can fold what they have no own code for.</summary>
public interface IConstantEvaluator
{
    /// <summary>The values of the graph's outputs, in their order; held in memory, independent of the model.</summary>
    /// <param name="model">Only constants inside; it may hold many nodes, so that one call does for a whole region.</param>
    /// <returns>Null when it cannot be evaluated: an operator that is not implemented, or a run that failed.</returns>
    IReadOnlyList<Tensor>? Evaluate(Model model, CancellationToken cancellation);
}
