using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Tests.Training;

/// <summary>Brings exporter graphs into the form that is trained.</summary>
internal static class TrainingModels
{
    public static void Prepare(Model model) => new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(TargetDescription.Load(TargetDescription.Default))])
        .Run(model, new PassContext { Evaluator = new OnnxConstantEvaluator(), FoldingBudget = 0 });
}
