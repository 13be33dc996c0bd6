using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Pruning.Tracing;

namespace SamCompress.Passes.Pruning;

/// <summary>Constants that say the size of an axis, and so must change when channels go.</summary>
internal static class SizeConstants
{
    /// <summary>The axes whose size the node has in a constant.</summary>
    public static IEnumerable<int[]> Watched(ChannelTrace trace, Node node) => Axes(trace, node).OfType<int[]>();

    private static IEnumerable<int[]?> Axes(ChannelTrace trace, Node node)
    {
        if (node.Domain.Length > 0 || trace.Of(node.Output) is not { } output)
            return [];
        return node.OpType switch
        {
            "Reshape" when node.Input(1).Integers() is { } target => output.Where((_, axis) => target[axis] > 0),
            "Expand" or "Resize" when node.Input(node.OpType == "Expand" ? 1 : 3).Integers() is not null => output,
            "Split" => [output[Along(node, output.Length)]],
            "Slice" when SliceRange.Of(node) is { } ranges => ranges.Select(r => trace.Axes(node, 0)[r.Axis]),
            "Conv" when node.GetInt("group", 1) > 1 && IsDepthwise(node) => [trace.Axes(node, 1)[0]],
            _ => [],
        };
    }

    /// <summary>Writes the sizes that the axes have with what is kept. Other readers of a constant keep theirs.</summary>
    /// <param name="kept">The positions of an axis that are kept; null for all.</param>
    public static void Rewrite(ChannelTrace trace, Node node, Func<int[]?, int[]?> kept)
    {
        switch (node.OpType)
        {
            case "Reshape":
                int[]?[] axes = trace.Of(node.Output)!;
                Set(node, 1, [.. node.Input(1).Integers()!.Select((size, axis) => size > 0 && kept(axes[axis]) is { } k ? k.Length : size)]);
                break;
            case "Expand" or "Resize":
                int input = node.OpType == "Expand" ? 1 : 3;
                int[]?[] all = trace.Of(node.Output)!;
                long[] sizes = node.Input(input).Integers()!;
                Set(node, input, [.. sizes.Select((size, i) => kept(all[all.Length - sizes.Length + i]) is { } k ? k.Length : size)]);
                break;
            case "Split":
                Set(node, 1, [.. node.Outputs.Select(part => kept(trace.Of(part!)![Along(node, part!.Shape!.Rank)])?.Length ?? part.Shape[Along(node, part.Shape.Rank)].Value!.Value)]);
                break;
            case "Slice":
                RewriteSlice(trace, node, kept);
                break;
            case "Conv":
                node.SetAttribute(NodeAttribute.Of("group", kept(trace.Axes(node, 1)[0])!.LongLength));
                break;
        }
    }

    private static void RewriteSlice(ChannelTrace trace, Node node, Func<int[]?, int[]?> kept)
    {
        long[] starts = node.Input(1).Integers()!, ends = node.Input(2).Integers()!;
        foreach (SliceRange range in SliceRange.Of(node)!)
        {
            if (kept(trace.Axes(node, 0)[range.Axis]) is not { } positions)
                continue;
            starts[range.Place] = positions.Count(p => p < range.Start);
            ends[range.Place] = positions.Count(p => p < range.Start + range.Count);
        }

        Set(node, 1, starts);
        Set(node, 2, ends);
    }

    private static void Set(Node node, int input, long[] integers)
    {
        if (node.Input(input).Integers()!.AsSpan().SequenceEqual(integers))
            return;
        Value old = node.Input(input)!;
        Graph graph = node.Graph!;
        node.ReplaceInput(input, graph.AddInitializer(graph.FreshName(old.Name + "_pruned"), Tensor.Vector(integers)));
    }

    private static bool IsDepthwise(Node conv) => conv.Input(0)!.Shape![1].Value == conv.GetInt("group", 1);

    private static int Along(Node node, int rank) => (int)(node.GetInt("axis", 0) is < 0 and var axis ? axis + rank : node.GetInt("axis", 0));
}
