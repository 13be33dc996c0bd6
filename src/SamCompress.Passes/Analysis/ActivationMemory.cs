using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>Estimates how many bytes of activations are alive at once when nodes run in order and each value is freed after its last use.</summary>
internal static class ActivationMemory
{
    public static (long Bytes, Node? At) Peak(Graph graph)
    {
        var place = new Dictionary<Node, int>();
        foreach (Node node in graph.Nodes)
            place[node] = place.Count;

        var flow = new ConstantFlow(graph);
        var freed = new long[place.Count + 1];
        long alive = 0, peak = 0;
        Node? at = null;
        foreach (Value input in graph.Inputs)
            Take(input, -1);
        foreach (Node node in graph.Nodes)
        {
            foreach (Value? output in node.Outputs)
            {
                if (output is not null && !IsView(node) && !flow.IsConstant(output))
                    Take(output, place[node]);
            }

            if (alive > peak)
                (peak, at) = (alive, node);
            alive -= freed[place[node]];
        }

        return (peak, at);

        void Take(Value value, int made)
        {
            long bytes = value.Shape?.ElementCount is { } count ? value.ElementType.ByteLength(count) : 0;
            alive += bytes;
            int last = LastUse(value, made, graph, place);
            if (last < place.Count)
                freed[Math.Max(last, 0)] += bytes;
        }
    }

    /// <summary>The place of the last node that reads the value or a view of it; beyond the end for outputs of the graph.</summary>
    private static int LastUse(Value value, int made, Graph graph, Dictionary<Node, int> place)
    {
        int last = value.IsGraphOutput ? place.Count : made;
        foreach (Use use in value.Uses)
        {
            Node node = use.Node;
            while (node.Graph != graph && node.Graph?.Owner is { } owner)
                node = owner;
            last = Math.Max(last, place.GetValueOrDefault(node));
            if (IsView(node) && use.InputIndex == 0 && node == use.Node)
                last = Math.Max(last, LastUse(node.Output, place[node], graph, place));
        }

        return last;
    }

    private static bool IsView(Node node) => node.OpType is "Reshape" or "Squeeze" or "Unsqueeze" or "Flatten" or "Identity";
}
