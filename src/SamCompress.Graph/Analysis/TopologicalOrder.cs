namespace SamCompress.IR.Analysis;

/// <summary>Orders in which every node stands behind those it depends on, also through its subgraphs.</summary>
public static class TopologicalOrder
{
    /// <summary>Whether the nodes are in such an order already.</summary>
    public static bool IsSorted(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var seen = new HashSet<Node>();
        foreach (Node node in graph.Nodes)
        {
            if (Dependencies(node, graph).Any(d => !seen.Contains(d)))
                return false;
            seen.Add(node);
        }

        return true;
    }

    /// <summary>The nodes in such an order, otherwise as near to the given order as possible.</summary>
    /// <exception cref="SamCompressException">Nodes depend on each other in a circle.</exception>
    public static IReadOnlyList<Node> Of(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var order = new List<Node>(graph.Nodes.Count);
        var done = new HashSet<Node>();
        var open = new HashSet<Node>();
        var pending = new Stack<Node>();
        foreach (Node root in graph.Nodes)
        {
            pending.Push(root);
            while (pending.TryPeek(out Node? node))
            {
                if (done.Contains(node))
                {
                    pending.Pop();
                    continue;
                }

                bool isFirstVisit = open.Add(node);
                List<Node> missing = [.. Dependencies(node, graph).Where(d => !done.Contains(d))];
                if (missing.Count == 0)
                {
                    order.Add(pending.Pop());
                    done.Add(node);
                    open.Remove(node);
                }
                else if (!isFirstVisit || missing.Exists(open.Contains))
                {
                    throw new SamCompressException(FailureKind.InputRejected, $"{node} depends on itself", "the graph has a cycle; export the model again");
                }
                else
                {
                    for (int i = missing.Count - 1; i >= 0; i--)
                        pending.Push(missing[i]);
                }
            }
        }

        return order;
    }

    private static IEnumerable<Node> Dependencies(Node node, Graph graph)
    {
        foreach (Value? input in node.Inputs)
        {
            if (input?.Producer is { } producer && producer.Graph == graph)
                yield return producer;
        }

        foreach (Node inner in node.Subgraphs.SelectMany(g => g.Nodes))
        {
            foreach (Node dependency in Dependencies(inner, graph))
                yield return dependency;
        }

        foreach (Value output in node.Subgraphs.SelectMany(g => g.Outputs))
        {
            if (output.Producer is { } producer && producer.Graph == graph)
                yield return producer;
        }
    }
}
