using SamCompress.IR;
using SamCompress.Passes.Cleanup;

namespace SamCompress.Passes.Pruning.Tracing;

/// <summary>Operators that move elements.</summary>
internal static class MovementRules
{
    /// <returns>Why nothing that the node reads may be pruned, or null.</returns>
    public static string? Apply(ChannelTrace trace, Node node) => node.OpType switch
    {
        "Reshape" => node.Input(1).Integers() is null ? "its target is no constant" : Reshape(trace, node),
        "Flatten" or "Squeeze" or "Unsqueeze" => Reshape(trace, node),
        "Transpose" => Set(trace, node, [.. node.Permutation()!.Select(axis => trace.Axes(node, 0)[axis])]),
        "Concat" => Concat(trace, node),
        "Split" => Split(trace, node),
        "Slice" => Slice(trace, node),
        "Gather" => Gather(trace, node),
        "Pad" => Pad(trace, node),
        "Expand" => node.Input(1).Integers() is null ? "its target is no constant" : Set(trace, node, Kept(trace, node, alignedToEnd: true)),
        "Resize" => Resize(trace, node),
        _ => "channels are not followed through this operator",
    };

    private static string? Set(ChannelTrace trace, Node node, int[]?[] axes)
    {
        trace.Set(node.Output, axes);
        return null;
    }

    private static string? Reshape(ChannelTrace trace, Node node)
    {
        long[] from = node.Input(0)!.Shape!.ToStatic()!, to = node.Output.Shape!.ToStatic()!;
        return new ReshapeRule(trace.Labels, node.ToString()).Apply(trace.Axes(node, 0), from, to) is { } axes
            ? Set(trace, node, axes)
            : "it cuts through an axis in no regular way";
    }

    private static string? Concat(ChannelTrace trace, Node node)
    {
        int rank = node.Output.Shape!.Rank;
        int along = Axis(node.GetInt("axis", 0), rank);
        int[]?[][] parts = [.. Enumerable.Range(0, node.Inputs.Count).Select(i => trace.Axes(node, i))];
        var axes = new int[]?[rank];
        for (int axis = 0; axis < rank; axis++)
        {
            axes[axis] = axis == along
                ? Joined(trace, node, parts, axis)
                : parts.Skip(1).Aggregate(parts[0][axis], (all, part) => trace.Labels.Union(all, part[axis], $"{node} joins it with an axis that stays as it is"));
        }

        return Set(trace, node, axes);
    }

    /// <summary>The parts one behind the other; those that stay as they are get labels that do.</summary>
    private static int[]? Joined(ChannelTrace trace, Node node, int[]?[][] parts, int axis) => parts.All(p => p[axis] is null)
        ? null
        : [.. parts.SelectMany((part, i) => part[axis] ?? Stays(trace, node.Input(i)!.Shape![axis].Value!.Value, node))];

    private static int[] Stays(ChannelTrace trace, long size, Node node)
    {
        int[] labels = trace.Labels.Fresh(size);
        trace.Labels.Pin(labels, $"{node} joins an axis that stays as it is");
        return labels;
    }

    private static string? Split(ChannelTrace trace, Node node)
    {
        int[]?[] axes = trace.Axes(node, 0);
        int along = Axis(node.GetInt("axis", 0), axes.Length);
        if (axes[along] is not null && node.Input(1).Integers() is null)
            trace.Labels.Pin(axes[along], $"{node} has no sizes to change");
        int start = 0;
        foreach (Value? part in node.Outputs)
        {
            if (part is null)
                return "it leaves out an output";
            int size = checked((int)part.Shape![along].Value!.Value), from = start;
            trace.Set(part, [.. axes.Select((labels, axis) => axis == along ? labels?[from..(from + size)] : labels)]);
            start += size;
        }

        return null;
    }

    private static string? Slice(ChannelTrace trace, Node node)
    {
        int[]?[] axes = [.. trace.Axes(node, 0)];
        if (SliceRange.Of(node) is not { } ranges)
            return "what it takes is not known";
        foreach (SliceRange range in ranges)
        {
            if (range.Step == 1)
                axes[range.Axis] = axes[range.Axis]?[(int)range.Start..(int)(range.Start + range.Count)];
            else
                trace.Labels.Pin(axes[range.Axis], $"{node} takes every {range.Step}. of it");
            if (range.Step != 1)
                axes[range.Axis] = null;
        }

        return Set(trace, node, axes);
    }

    private static string? Gather(ChannelTrace trace, Node node)
    {
        int[]?[] axes = trace.Axes(node, 0);
        int along = Axis(node.GetInt("axis", 0), axes.Length);
        trace.Labels.Pin(axes[along], $"{node} selects from it by number");
        return Set(trace, node, [.. axes[..along], .. new int[]?[node.Input(1)!.Shape!.Rank], .. axes[(along + 1)..]]);
    }

    private static string? Pad(ChannelTrace trace, Node node)
    {
        int[]?[] axes = [.. trace.Axes(node, 0)];
        long[]? pads = node.Input(1).Integers() ?? node.GetInts("pads")?.ToArray();
        if (pads is null || node.Input(3) is not null || pads.Length != 2 * axes.Length)
            return "what it adds is not known";
        for (int axis = 0; axis < axes.Length; axis++)
        {
            (long before, long after) = (pads[axis], pads[axis + axes.Length]);
            if (axes[axis] is not { } labels || (before == 0 && after == 0))
                continue;
            if (before < 0 || after < 0 || node.GetString("mode", "constant") != "constant")
            {
                trace.Labels.Pin(labels, $"{node} adds to it what depends on its ends");
                axes[axis] = null;
            }
            else
            {
                axes[axis] = [.. Stays(trace, before, node), .. labels, .. Stays(trace, after, node)];
            }
        }

        return Set(trace, node, axes);
    }

    private static string? Resize(ChannelTrace trace, Node node)
    {
        bool isPlain = node.Attribute("axes") is null && node.GetString("keep_aspect_ratio_policy", "stretch") == "stretch" && node.GetString("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize";
        bool hasSizes = node.Input(3) is { } sizes && sizes.Integers() is not null;
        return isPlain && (hasSizes || node.Input(2)?.Constant is not null)
            ? Set(trace, node, Kept(trace, node, alignedToEnd: false))
            : "how it scales is not known";
    }

    /// <summary>The axes whose size the output keeps; the others are pinned, unless they have one position.</summary>
    private static int[]?[] Kept(ChannelTrace trace, Node node, bool alignedToEnd)
    {
        int[]?[] own = trace.Axes(node, 0);
        long[] from = node.Input(0)!.Shape!.ToStatic()!, to = node.Output.Shape!.ToStatic()!;
        var axes = new int[]?[to.Length];
        for (int axis = 0, at = alignedToEnd ? to.Length - from.Length : 0; axis < from.Length; axis++, at++)
        {
            if (from[axis] == to[at])
                axes[at] = own[axis];
            else
                trace.Labels.Pin(own[axis], $"{node} scales it");
        }

        return axes;
    }

    private static int Axis(long axis, int rank) => (int)(axis < 0 ? axis + rank : axis);
}
