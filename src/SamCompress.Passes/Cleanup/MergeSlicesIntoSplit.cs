using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>
/// Makes one Split of slices that cut a value into all its parts: Slice(x, 0, a), Slice(x, a, b), ... => Split(x).
/// Gather(x, i) of every index i counts as a Slice of one and a Squeeze: exporters write the query, key and value of attention in all three ways.
/// </summary>
/// <remarks>Exact. Guards: opset 13 or later, one axis, static length, step 1, the parts cover the length without gap or overlap, at least two parts.</remarks>
public sealed class MergeSlicesIntoSplit : Pass
{
    /// <summary>One part; a Gather also takes the axis away.</summary>
    private sealed record Part(Node Node, long Start, long End)
    {
        public bool IsGather => Node.OpType == "Gather";
    }

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        if (model.Opset() < 13)
            return 0;
        foreach (Graph graph in Constants.GraphsOf(model))
        {
            var seen = new HashSet<Value>();
            foreach (Node node in graph.Nodes)
            {
                if (node.OpType is not ("Slice" or "Gather") || node.Input(0) is not { } x || !seen.Add(x) || x.Uses.Count < 2)
                    continue;
                changes += Merge(model, graph, x, context);
            }
        }

        return changes;
    }

    private static int Merge(Model model, Graph graph, Value x, PassContext context)
    {
        if (x.Shape is not { } shape)
            return 0;
        var byAxis = new SortedDictionary<int, List<Part>>();
        foreach (Use use in x.Uses)
        {
            if (use.InputIndex != 0 || use.Node.Graph != graph || PartOf(use.Node, shape) is not var (axis, part))
                continue;
            if (!byAxis.TryGetValue(axis, out List<Part>? list))
                byAxis[axis] = list = [];
            list.Add(part);
        }

        foreach ((int axis, List<Part> parts) in byAxis)
        {
            if (FindCover(parts, shape[axis].Value!.Value) is not { } cover || !context.Step(cover[0].Node, $"{cover.Count} slices become one Split"))
                continue;
            Replace(model, graph, x, axis, cover);
            return 1;
        }

        return 0;
    }

    /// <summary>Parts that follow each other from 0 to the end, or null.</summary>
    private static List<Part>? FindCover(List<Part> parts, long length)
    {
        List<Part> sorted = [.. parts.DistinctBy(p => (p.Start, p.End)).OrderBy(p => p.Start)];
        if (sorted.Count < 2 || sorted[0].Start != 0 || sorted[^1].End != length)
            return null;
        for (int i = 1; i < sorted.Count; i++)
        {
            if (sorted[i].Start != sorted[i - 1].End)
                return null;
        }

        return sorted;
    }

    private static void Replace(Model model, Graph graph, Value x, int axis, List<Part> cover)
    {
        // The Split must stand before every part that it replaces.
        var nodes = new HashSet<Node>(cover.Select(p => p.Node));
        Node first = graph.Nodes.First(nodes.Contains);
        var builder = new GraphBuilder(model, first, x.Name);
        Value sizes = builder.Vector([.. cover.Select(p => p.End - p.Start)]);
        NodeAttribute[] attributes = [NodeAttribute.Of("axis", axis)];
        IReadOnlyList<Value> parts = builder.Op("Split", [x, sizes], cover.Count, attributes);
        List<Value> results = [.. cover.Select((part, i) => part.IsGather ? builder.Op("Squeeze", [parts[i], builder.Vector(axis)]) : parts[i])];
        for (int i = 0; i < cover.Count; i++)
        {
            Value old = cover[i].Node.Output;
            string name = old.Name;
            graph.Substitute(old, results[i]);
            graph.Remove(cover[i].Node);
            if (!results[i].IsGraphOutput)
                results[i].Name = graph.FreshName(name);
        }
    }

    private static (int Axis, Part Part)? PartOf(Node node, Shape shape)
    {
        if (node.Is("Gather"))
        {
            int axis = NormalizedAxis(node.GetInt("axis", 0), shape.Rank);
            if (node.Input(1)?.Constant is not { Rank: 0 } || node.Input(1).Integers() is not [var index] || shape[axis].Value is not { } count)
                return null;
            index = index < 0 ? index + count : index;
            return (axis, new Part(node, index, index + 1));
        }

        if (!node.Is("Slice") || node.Input(1).Integers() is not [var start] || node.Input(2).Integers() is not [var end])
            return null;
        if ((node.Input(3) is { } axes && axes.Integers() is not [_]) || (node.Input(4) is { } steps && steps.Integers() is not [1]))
            return null;
        int along = NormalizedAxis(node.Input(3).Integers()?[0] ?? 0, shape.Rank);
        if (shape[along].Value is not { } length)
            return null;
        return (along, new Part(node, Clamped(start, length), Clamped(end, length)));
    }

    private static int NormalizedAxis(long axis, int rank) => (int)(axis < 0 ? axis + rank : axis);

    private static long Clamped(long place, long length) => Math.Clamp(place < 0 ? place + length : place, 0, length);
}
