using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Distillation;
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

    /// <summary>
    /// The weights of the blocks before the first that a rewrite changed: those that only the last value of the residual stream depends on that is still the
    /// teacher's. None when there is no such value, or when nothing was changed.
    /// </summary>
    /// <param name="student">Prepared, as the teacher is; both stay as they are.</param>
    public static IReadOnlyList<Value> UnchangedWeights(Model student, Model teacher, CancellationToken cancellationToken = default)
    {
        IReadOnlySet<string> unchanged;
        using (Model own = Folded(student, cancellationToken), wanted = Folded(teacher, cancellationToken))
            unchanged = UnchangedValues.Of(own, wanted);
        EncoderFeatures features = EncoderFeatures.Of(student);
        if (unchanged.Contains(features.Embedding.Name) || features.Stream.LastOrDefault(v => unchanged.Contains(v.Name)) is not { Producer: { } last })
            return [];
        HashSet<Node> before = [last];
        foreach (Node node in student.Graph.Nodes.Reverse())
        {
            if (before.Contains(node))
                before.UnionWith(node.Inputs.Select(i => i?.Producer).OfType<Node>());
        }

        return [.. student.Graph.Initializers.Where(i => i.Uses.Count > 0 && i.Uses.All(u => before.Contains(u.Node)))];
    }

    private static Model Folded(Model model, CancellationToken cancellationToken)
    {
        Model copy = ModelCopy.Of(model);
        try
        {
            new PassPipeline(StandardPipeline.Cleanup).Run(copy, new PassContext { Evaluator = new OnnxConstantEvaluator(), Cancellation = cancellationToken });
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }
}
