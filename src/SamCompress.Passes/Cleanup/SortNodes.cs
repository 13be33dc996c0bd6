using SamCompress.IR;
using SamCompress.IR.Analysis;

namespace SamCompress.Passes.Cleanup;

/// <summary>Puts nodes behind those whose outputs they read. A graph that is in order already stays exactly as it is.</summary>
/// <remarks>Exact.</remarks>
public sealed class SortNodes : Pass
{
    /// <exception cref="SamCompressException">Nodes depend on each other in a circle.</exception>
    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        foreach (Graph graph in Constants.GraphsOf(model))
        {
            if (TopologicalOrder.IsSorted(graph) || graph.Nodes.First is not { } first || !context.Step(first, "nodes are sorted"))
                continue;
            graph.Reorder(TopologicalOrder.Of(graph));
            changes++;
        }

        return changes;
    }
}
