using System.Collections.Immutable;
using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Attention;

/// <summary>
/// How a map of tokens is cut into windows before attention and put together behind it:
/// LayerNormalization? of Pad? of the map, in window order, is the input of the Linear; the output of the projection, in map order and cropped, is added to the residual.
/// </summary>
/// <param name="Map">[1, height, width, channels], before padding.</param>
/// <param name="Normalization">A LayerNormalization between partition and Linear, as TinyViT has it; null where it stands before the partition.</param>
/// <param name="PaddedHeight">A multiple of the height of a window.</param>
/// <param name="PaddedWidth">A multiple of the width of a window.</param>
/// <param name="Order">The windows of the padded map.</param>
/// <param name="Result">[1, height, width, channels], behind the crop.</param>
public sealed record WindowPartition(Value Map, Node? Normalization, long PaddedHeight, long PaddedWidth, TokenOrder Order, Value Result)
{
    public long Height => Map.Shape![1].Value!.Value;

    public long Width => Map.Shape![2].Value!.Value;

    public bool IsPadded => PaddedHeight != Height || PaddedWidth != Width;

    /// <summary>Reads the partition around a Linear and a projection whose rows are groups of consecutive tokens; null when there is none of this form.</summary>
    internal static WindowPartition? Around(QuantizableLayer layer, QuantizableLayer projection, TokenOrder order, AxisSizes sizes)
    {
        Value input = layer.Input;
        Node? normalization = null;
        if (input.Producer is { OpType: "LayerNormalization", Domain: "" } norm && IsByConstants(norm))
        {
            normalization = norm;
            if (norm.Output.Uses.Count != 1 || norm.Output.IsGraphOutput)
                return null;
            input = norm.Input(0)!;
        }

        if (!order.IsRowOrder || layer.Input.Uses.Count != 1 || MapBehind(input) is not { } padded || padded.Shape?.ToStatic() is not [1, var height, var width, _] || RowsOf(padded, input, sizes) is not { } rows)
            return null;
        int leading = Leading(rows, order.GroupCount);
        TokenOrder? windows = TokenOrder.Of(rows[..leading], rows[leading..]);
        if (windows is null || windows.GroupCount != order.GroupCount || windows.TokenCount != order.TokenCount || windows.RowDigits.Length != 4)
            return null;
        Value map = padded.Producer is { OpType: "Pad", Domain: "" } pad ? pad.Input(0)! : padded;
        if (map != padded && (map.Shape?.ToStatic() is not [1, var h, var w, _] || !PadsBehind(padded.Producer!, height - h, width - w)))
            return null;
        return Behind(projection, padded, map, windows, sizes) is { } result && result.Shape!.Equals(new Shape([1, map.Shape![1], map.Shape[2], projection.OutputChannels]))
            ? new WindowPartition(map, normalization, height, width, windows, result)
            : null;
    }

    /// <summary>The first value behind that is a map [1, height, width, channels] and no movement of another one.</summary>
    private static Value? MapBehind(Value value)
    {
        bool moved = false;
        while (value.Producer is { Domain: "", OpType: "Reshape" or "Transpose" } node)
        {
            // What is made of a map by a Reshape that keeps its shape of tokens is the map.
            if (moved && value.Shape is { Rank: 4 } shape && shape[0].Value == 1 && node.OpType == "Reshape")
                break;
            moved |= node.OpType == "Transpose";
            value = node.Input(0)!;
        }

        return moved && value.Shape is { Rank: 4 } ? value : null;
    }

    /// <summary>Which row of a map stands at each row of what is made of it, as digits; null when channels move too.</summary>
    private static ImmutableArray<AxisDigit>? RowsOf(Value map, Value target, AxisSizes sizes)
    {
        long[] shape = map.Shape!.ToStatic()!;
        ChannelMap rows = TokenRows.Of(shape);
        return new ChannelFlow(FlowOperators.MovementOnly, sizes).Readings(map, rows)
            .Select(r => r.Value == target ? r.Map : r.Path.FirstOrDefault(s => s.Output == target).After)
            .FirstOrDefault(m => m is not null) is { } found && found.Size(found.Rank - 1) == shape[^1] && !found.HasChannels(found.Rank - 1)
            ? [.. found.Axes.Take(found.Rank - 1).SelectMany(a => a)]
            : null;
    }

    /// <summary>How many digits come before they count more than that.</summary>
    private static int Leading(ImmutableArray<AxisDigit> digits, long count)
    {
        long product = 1;
        return digits.TakeWhile(d => (product *= d.Size) <= count).Count();
    }

    /// <summary>The cropped map behind a projection, when windows are put back where they were.</summary>
    private static Value? Behind(QuantizableLayer projection, Value padded, Value map, TokenOrder windows, AxisSizes sizes)
    {
        if (projection.Output.Shape?.ToStatic() is not { } shape || projection.Output.IsGraphOutput)
            return null;
        Value value = projection.Output;
        ChannelMap rows = TokenRows.Of(shape);
        while (value.Uses is [{ Node: { Domain: "", OpType: "Reshape" or "Transpose" } node, InputIndex: 0 }] && !value.IsGraphOutput)
        {
            ChannelMap? next = node.OpType == "Reshape"
                ? sizes.Of(node.Output, rows.Count) is { } target ? rows.Reshape(target) : null
                : node.Permutation() is { } order ? rows.Transpose(order) : null;
            if (next is null)
                return null;
            (value, rows) = (node.Output, next);
            if (!IsMapOrder(rows, windows) || value.Shape?.ToStatic() is not [1, var height, var width, _] || height != padded.Shape![1].Value || width != padded.Shape[2].Value)
                continue;
            if (map == padded)
                return value;
            return value.Uses is [{ Node: { OpType: "Slice", Domain: "" } crop, InputIndex: 0 }] && !value.IsGraphOutput && CropsTo(crop, map) ? crop.Output : null;
        }

        return null;
    }

    /// <summary>Whether rows in window order stand in the order of the map.</summary>
    private static bool IsMapOrder(ChannelMap rows, TokenOrder windows)
    {
        long stride = windows.RowCount;
        ImmutableArray<AxisDigit> inverse =
        [
            .. windows.Groups.AddRange(windows.Tokens).Select(d => (d.Stride, Digit: new AxisDigit(d.Size, stride /= d.Size))).OrderByDescending(p => p.Stride).Select(p => p.Digit),
        ];
        return ChannelMap.Of(0, [inverse]) is var expected && ChannelMap.Of(0, [rows.Axes.Take(rows.Rank - 1).SelectMany(a => a)]).Axes[0].SequenceEqual(expected.Axes[0]) && !rows.HasChannels(rows.Rank - 1);
    }

    private static bool IsByConstants(Node norm) =>
        norm.NormalizesLastAxis() && norm.Outputs.Skip(1).All(o => o is not { IsUsed: true })
        && norm.Input(1)?.Constant is not null && (norm.Input(2) is null || norm.Input(2)!.Constant is not null);

    private static bool PadsBehind(Node pad, long rows, long columns) =>
        pad.GetString("mode", "constant") == "constant" && (pad.Input(2) is null || pad.Input(2)!.Constant?.ScalarOrNull() == 0) && pad.Input(3) is null
        && pad.Input(1).Integers() is { } pads && pads.AsSpan().SequenceEqual([0, 0, 0, 0, 0, rows, columns, 0]);

    private static bool CropsTo(Node slice, Value map) =>
        slice.Output.Shape is { Rank: 4 } shape && shape[1] == map.Shape![1] && shape[2] == map.Shape[2]
        && slice.Input(1).Integers() is { } starts && starts.All(s => s == 0) && (slice.Input(4) is null || slice.Input(4).Integers() is { } steps && steps.All(s => s == 1));
}
