using System.Collections.Immutable;
using SamCompress.IR;
using SamCompress.Passes.Cleanup;

namespace SamCompress.Passes.Attention;

/// <summary>What channels are followed through, besides operators that only move elements.</summary>
[Flags]
public enum FlowOperators
{
    MovementOnly = 0,

    /// <summary>Mul and Div by a constant.</summary>
    Scaling = 1,

    /// <summary>Add of anything that has no more elements.</summary>
    Addition = 2,

    /// <summary>Relu, through which a positive factor passes.</summary>
    Relu = 4,

    /// <summary>Pad with zeros, through which every factor passes.</summary>
    ZeroPadding = 8,
}

/// <summary>A node that channels were followed through.</summary>
/// <param name="After">Where they are in its output.</param>
public readonly record struct FlowStep(Node Node, Value Output, ChannelMap After);

/// <summary>A place where channels that were followed are read by something that they are not followed through.</summary>
/// <param name="Reader">Null for a graph output.</param>
/// <param name="Value">What is read.</param>
/// <param name="Map">Where the channels are in it; null when that could not be said: any of them may be there.</param>
/// <param name="Path">The way from the source, without the reader.</param>
/// <param name="Why">Why they are not followed further.</param>
public sealed record ChannelReading(Node? Reader, int InputIndex, Value Value, ChannelMap? Map, ImmutableArray<FlowStep> Path, string Why)
{
    /// <summary>Whether zeros were put beside the channels on the way.</summary>
    public bool IsPadded => Path.Any(s => s.Node.OpType == "Pad");

    public override string ToString() => $"'{Value.Name}' is read by {Reader?.ToString() ?? "the caller"}, {Why}";
}

/// <summary>Follows the channels of a value forward to everything that reads them.</summary>
internal sealed class ChannelFlow(FlowOperators operators, AxisSizes sizes)
{
    private const int FarthestFollowed = 64;

    /// <summary>Every reader of the value, and of what is made of it; in a reproducible order.</summary>
    /// <param name="axis">The axis of the channels.</param>
    public IReadOnlyList<ChannelReading> Readings(Value source, int axis)
    {
        var readings = new List<ChannelReading>();
        Follow(source, sizes.Of(source) is { } known && axis < known.Length && -axis <= known.Length ? ChannelMap.Of(known, axis) : null, [], readings);
        return readings;
    }

    /// <inheritdoc cref="Readings(Value, int)"/>
    public IReadOnlyList<ChannelReading> Readings(Value source, ChannelMap map)
    {
        var readings = new List<ChannelReading>();
        Follow(source, map, [], readings);
        return readings;
    }

    private void Follow(Value value, ChannelMap? map, ImmutableArray<FlowStep> path, List<ChannelReading> readings)
    {
        if (value.IsGraphOutput)
            readings.Add(new ChannelReading(null, 0, value, map, path, "it is a graph output"));
        foreach (Use use in value.Uses)
        {
            Node node = use.Node;
            if (node.OpType is "Shape" or "Size")
                continue;
            if (map is null || path.Length >= FarthestFollowed || node.Graph != value.Graph || node.Domain.Length > 0)
            {
                readings.Add(new ChannelReading(node, use.InputIndex, value, map, path, map is null ? "and its shape is not known" : "which is not followed"));
                continue;
            }

            (bool isFollowed, string why) = IsFollowed(node, use.InputIndex, map);
            if (!isFollowed)
            {
                readings.Add(new ChannelReading(node, use.InputIndex, value, map, path, why));
                continue;
            }

            foreach (Value output in node.Outputs.OfType<Value>())
            {
                ChannelMap? next = Through(node, output, map);
                if (next is null)
                    readings.Add(new ChannelReading(node, use.InputIndex, value, null, path, "which spreads the channels in no regular way"));
                else
                    Follow(output, next, path.Add(new FlowStep(node, output, next)), readings);
            }
        }
    }

    private (bool Yes, string Why) IsFollowed(Node node, int input, ChannelMap map)
    {
        bool allowed = node.OpType switch
        {
            "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" or "Transpose" or "Identity" or "Split" or "Slice" or "Gather" => input == 0,
            "Mul" => operators.HasFlag(FlowOperators.Scaling) && node.Input(1 - input)?.Constant is not null && KeepsSize(node, map),
            "Div" => operators.HasFlag(FlowOperators.Scaling) && input == 0 && node.Input(1)?.Constant is not null && KeepsSize(node, map),
            "Add" => operators.HasFlag(FlowOperators.Addition) && node.Input(0) != node.Input(1) && KeepsSize(node, map),
            "Relu" => operators.HasFlag(FlowOperators.Relu),
            "Pad" => operators.HasFlag(FlowOperators.ZeroPadding) && input == 0 && PadsZeros(node),
            _ => false,
        };
        return (allowed, "which no channel is followed through");
    }

    private bool KeepsSize(Node node, ChannelMap map) =>
        sizes.Of(node.Output, map.Count) is { } result && result.Length == map.Rank && result.Select((size, axis) => size == map.Size(axis)).All(same => same);

    private static bool PadsZeros(Node pad) =>
        pad.GetString("mode", "constant") == "constant" && pad.GetFloat("value", 0) == 0 && (pad.Input(2) is null || pad.Input(2)!.Constant?.ScalarOrNull() == 0);

    private ChannelMap? Through(Node node, Value output, ChannelMap map) => node.OpType switch
    {
        "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" => sizes.Of(output, map.Count) is { } target ? map.Reshape(target) : null,
        "Transpose" => node.Permutation() is { } order && order.Length == map.Rank ? map.Transpose(order) : null,
        "Split" => Split(node, output, map),
        "Slice" => Slice(node, output, map),
        "Gather" => Gather(node, map),
        "Pad" => Pad(node, output, map),
        _ => map,
    };

    private static ChannelMap? Split(Node node, Value output, ChannelMap map)
    {
        if (Axis(node.GetInt("axis", 0), map.Rank) is not { } axis)
            return null;
        long start = 0;
        foreach (Value? part in node.Outputs)
        {
            if (part?.Shape is not { } shape || shape.Rank != map.Rank || shape[axis].Value is not { } size)
                return null;
            if (part == output)
                return map.Slice(axis, start, size);
            start += size;
        }

        return null;
    }

    private static ChannelMap? Slice(Node node, Value output, ChannelMap map)
    {
        long[]? starts = node.Input(1).Integers() ?? node.GetInts("starts")?.ToArray();
        if (starts is null || output.Shape is not { } shape || shape.Rank != map.Rank)
            return null;
        long[]? axes = node.Input(3) is { } given ? given.Integers() : node.GetInts("axes")?.ToArray() ?? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        long[]? steps = node.Input(4) is { } by ? by.Integers() : [.. starts.Select(_ => 1L)];
        if (axes is null || steps is null)
            return null;
        ChannelMap? result = map;
        for (int i = 0; i < starts.Length && result is not null; i++)
        {
            if (Axis(axes[i], map.Rank) is not { } axis || shape[axis].Value is not { } count)
                return null;
            long start = starts[i] < 0 ? Math.Max(0, starts[i] + map.Size(axis)) : starts[i];
            result = result.Slice(axis, start, count, steps[i]);
        }

        return result;
    }

    private static ChannelMap? Gather(Node node, ChannelMap map)
    {
        if (Axis(node.GetInt("axis", 0), map.Rank) is not { } axis || node.Input(1)?.Constant is not { Rank: <= 1 } tensor || node.Input(1).Integers() is not { Length: > 0 } indices)
            return null;
        indices = [.. indices.Select(i => i < 0 ? i + map.Size(axis) : i)];
        long step = indices.Length > 1 ? indices[1] - indices[0] : 1;
        if (indices.Where((index, i) => index != indices[0] + (i * step)).Any())
            return null;
        ChannelMap? part = map.Slice(axis, indices[0], indices.Length, step);
        return tensor.Rank == 1 || part is null ? part : ChannelMap.Of(part.Offset, part.Axes.RemoveAt(axis).Select(a => (IEnumerable<AxisDigit>)a));
    }

    private static ChannelMap? Pad(Node node, Value output, ChannelMap map)
    {
        long[]? pads = node.Input(1).Integers() ?? node.GetInts("pads")?.ToArray();
        if (pads is null || node.Input(3) is not null || pads.Length != 2 * map.Rank || output.Shape is not { } shape)
            return null;
        ChannelMap result = map;
        for (int axis = 0; axis < map.Rank; axis++)
        {
            if (pads[axis] == 0 && pads[axis + map.Rank] == 0)
                continue;
            if (map.HasChannels(axis) || shape[axis].Value is not { } size)
                return null;
            result = result.Resize(axis, size);
        }

        return result;
    }

    private static int? Axis(long axis, int rank) => axis < -rank || axis >= rank ? null : (int)(axis < 0 ? axis + rank : axis);
}
