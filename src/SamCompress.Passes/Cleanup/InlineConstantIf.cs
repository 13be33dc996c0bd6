using SamCompress.IR;

namespace SamCompress.Passes.Cleanup;

/// <summary>Puts the nodes of the taken branch in place of an If whose condition is constant.</summary>
/// <remarks>Exact. Guards: the branch holds no further subgraph; it has as many outputs as the If.</remarks>
public sealed class InlineConstantIf : Pass
{
    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        // Inner graphs first, so that an If inside a branch is gone when the outer one is looked at.
        foreach (Graph graph in Constants.GraphsOf(model).Reverse())
        {
            foreach (Node node in graph.Nodes)
            {
                if (!node.Is("If") || node.Input(0)?.Constant is not { ElementType: ElementType.Bool, Count: 1 } condition)
                    continue;
                string taken = condition.ToInt64s()[0] != 0 ? "then_branch" : "else_branch";
                if (node.Attribute(taken)?.Graphs is not [var branch] || branch.Outputs.Count != node.Outputs.Count)
                    continue;
                if (branch.Nodes.Any(n => n.Subgraphs.Any()))
                {
                    context.Report("SC4202", Severity.Info, node.ToString(), "has a constant condition but is not inlined, because its branch holds a subgraph");
                    continue;
                }

                if (!context.Step(node, $"is replaced by its {branch.Name} branch"))
                    continue;
                Inline(graph, node, branch);
                changes++;
            }
        }

        return changes;
    }

    private static void Inline(Graph graph, Node node, Graph branch)
    {
        var moved = new Dictionary<Value, Value>();
        foreach (Value initializer in branch.Initializers)
            moved[initializer] = graph.AddInitializer(graph.FreshName(initializer.Name), initializer.Initializer!);
        foreach (Node inner in branch.Nodes)
        {
            Node copy = graph.InsertBefore(
                node,
                inner.OpType,
                [.. inner.Inputs.Select(i => i is null ? null : moved.GetValueOrDefault(i, i))],
                [.. inner.Outputs.Select(o => o is null ? "" : graph.FreshName(o.Name))],
                inner.Attributes,
                inner.Domain,
                inner.Name);
            for (int i = 0; i < inner.Outputs.Count; i++)
            {
                if (inner.Outputs[i] is not { } output)
                    continue;
                moved[output] = copy.Outputs[i]!;
                copy.Outputs[i]!.ElementType = output.ElementType;
                copy.Outputs[i]!.Shape = output.Shape;
            }
        }

        for (int i = 0; i < node.Outputs.Count; i++)
        {
            if (node.Outputs[i] is { } output)
                graph.Substitute(output, moved.GetValueOrDefault(branch.Outputs[i], branch.Outputs[i]));
        }

        graph.Remove(node);
    }
}
