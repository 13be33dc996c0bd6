namespace SamCompress.IR.Analysis;

/// <summary>Finds a cycle among the nodes of a graph. Values that a subgraph reads count as inputs of its node.</summary>
internal static class NodeCycle
{
    /// <returns>The nodes of one cycle in the order of the data, or null when there is none.</returns>
    public static IReadOnlyList<Node>? Find(Graph graph)
    {
        var finished = new Dictionary<Node, bool>(ReferenceEqualityComparer.Instance);
        var path = new Stack<(Node Node, IEnumerator<Node> Producers)>();
        foreach (Node root in graph.Nodes)
        {
            if (!finished.TryAdd(root, false))
                continue;
            path.Push((root, Producers(root, graph).GetEnumerator()));
            while (path.TryPeek(out (Node Node, IEnumerator<Node> Producers) top))
            {
                if (!top.Producers.MoveNext())
                {
                    finished[top.Node] = true;
                    path.Pop();
                }
                else if (finished.TryAdd(top.Producers.Current, false))
                {
                    path.Push((top.Producers.Current, Producers(top.Producers.Current, graph).GetEnumerator()));
                }
                else if (!finished[top.Producers.Current])
                {
                    // The path goes from readers to producers; the stack enumerates it from its end, which is the order of the data.
                    Node last = top.Producers.Current;
                    return [.. path.Select(p => p.Node).TakeWhile(n => n != last), last];
                }
            }
        }

        return null;
    }

    /// <summary>The values that a node, or a node in its subgraphs, reads and another node of the graph makes.</summary>
    public static IEnumerable<Value> Reads(Node node, Graph graph)
    {
        var pending = new Stack<Node>([node]);
        while (pending.TryPop(out Node? reader))
        {
            foreach (Value? input in reader.Inputs)
            {
                if (input is { Producer: { } producer } && producer.Graph == graph)
                    yield return input;
            }

            foreach (Node inner in reader.Subgraphs.SelectMany(g => g.Nodes))
                pending.Push(inner);
        }
    }

    private static IEnumerable<Node> Producers(Node node, Graph graph) => Reads(node, graph).Select(v => v.Producer!);
}
