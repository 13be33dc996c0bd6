using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Training;

/// <summary>Brings models into the form that is trained.</summary>
public static class TrainableModel
{
    /// <summary>Cleans up and fuses, in place: one operator for what has a gradient of its own, and tables of relative positions as they are stored, one weight for each distance.</summary>
    /// <returns>The passes that ran.</returns>
    public static IReadOnlyList<PassRecord> Prepare(Model model, CancellationToken cancellationToken = default) =>
        new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(TargetDescription.Load(TargetDescription.Default))])
            .Run(model, new PassContext { Evaluator = new OnnxConstantEvaluator(), FoldingBudget = 0, Cancellation = cancellationToken });
}
