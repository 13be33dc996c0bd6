using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>
/// Estimates how many bytes of activations are alive at once when nodes run in order and each value is freed after its last use.
/// The body of a loop takes its own peak while the loop runs.
/// </summary>
internal static class ActivationMemory
{
    public static (long Bytes, Node? At) Peak(Graph graph, ConstantFlow constants)
    {
        var place = new Dictionary<Node, int>();
        foreach (Node node in graph.Nodes)
            place[node] = place.Count;

        var freed = new long[place.Count + 1];
        long alive = 0, peak = 0;
        Node? at = null;
        foreach (Value input in graph.Inputs.Where(i => !constants.IsConstant(i)))
            Take(input, -1);
        foreach (Node node in graph.Nodes)
        {
            foreach (Value? output in node.Outputs)
            {
                if (output is not null && !MemoryTraffic.IsView(node) && !constants.IsConstant(output))
                    Take(output, place[node]);
            }

            (long inside, Node? innermost) = node.Subgraphs.Select(body => Peak(body, constants)).DefaultIfEmpty().MaxBy(body => body.Bytes);
            if (alive + inside > peak)
                (peak, at) = (alive + inside, innermost ?? node);
            alive -= freed[place[node]];
        }

        return (peak, at);

        void Take(Value value, int made)
        {
            long bytes = MemoryTraffic.Bytes(value);
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
            if (MemoryTraffic.IsView(node) && use.InputIndex == 0 && node == use.Node)
                last = Math.Max(last, LastUse(node.Output, place[node], graph, place));
        }

        return last;
    }
}
