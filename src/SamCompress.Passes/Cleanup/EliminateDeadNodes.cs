using SamCompress.IR;

namespace SamCompress.Passes.Cleanup;

/// <summary>Removes nodes whose outputs nothing reads.</summary>
/// <remarks>Exact. One sweep from the last node to the first takes whole dead chains.</remarks>
public sealed class EliminateDeadNodes : Pass
{
    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        // Outer graphs first: with a dead If its branches go, and nothing in them needs to be looked at.
        foreach (Graph graph in Constants.GraphsOf(model))
        {
            foreach (Node node in graph.Nodes.Backwards())
            {
                if (node.Outputs.Any(o => o is { IsUsed: true }) || !context.Step(node, "is unused"))
                    continue;
                graph.Remove(node);
                changes++;
            }
        }

        return changes;
    }
}
