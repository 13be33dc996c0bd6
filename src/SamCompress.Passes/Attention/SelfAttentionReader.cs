using System.Collections.Immutable;
using SamCompress.IR;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Attention;

/// <summary>
/// Reads attentions as <see cref="SelfAttention"/>: what the <see cref="AttentionFinder"/> found, plus the order of tokens, the factor of the logits, the term for
/// positions and the cut into windows. Needs inferred, static shapes.
/// </summary>
public sealed class SelfAttentionReader
{
    private readonly AxisSizes _sizes = new();
    private readonly ConstantFlow _constants;

    private SelfAttentionReader(Graph graph) => _constants = new ConstantFlow(graph);

    public static SelfAttentionView Read(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        AttentionView view = AttentionFinder.Find(model);
        var reader = new SelfAttentionReader(model.Graph);
        var attentions = new List<SelfAttention>();
        List<AttentionMiss> misses = [.. view.Misses];
        foreach (AttentionBlock block in view.Blocks.Where(b => b.QueryKey is not null && b.Value is not null))
        {
            (SelfAttention? attention, string why) = reader.Read(block);
            if (attention is not null)
                attentions.Add(attention);
            else
                misses.Add(new AttentionMiss(block.Softmax, AttentionMiss.SelfAttention, why));
        }

        return new SelfAttentionView(attentions, misses, view.Blocks);
    }

    private (SelfAttention? Found, string Why) Read(AttentionBlock block)
    {
        AttentionOperand query = block.QueryKey!.Query, key = block.QueryKey.Key, value = block.Value!.Value;
        if (key.Layer != query.Layer || value.Layer != query.Layer)
            return (null, "query, key and value are not columns of one Linear");
        QuantizableLayer layer = query.Layer;
        if (layer.Output.Shape?.ToStatic() is not { } shape || block.Value.Projection.Input.Shape?.ToStatic() is not { } contextShape)
            return (null, "the number of tokens is not known");
        if (Layout(query, key, value) is not { } columns)
            return (null, "the columns of query, key and value are in no regular order");
        if (block.Value.Rows.Where((row, i) => row != i).Any() || block.Value.Projection.InputChannels != query.Columns.Length)
            return (null, "the projection does not read the heads in order");
        ChannelMap rows = TokenRows.Of(shape);
        IReadOnlyList<ChannelReading> readings = new ChannelFlow(FlowOperators.Scaling, _sizes).Readings(layer.Output, rows);
        ImmutableArray<AxisDigit>[]? queries = Digits(readings, block.QueryKey.Node, 0, query), keys = Digits(readings, block.QueryKey.Node, 1, key, isKey: true), values = Digits(readings, block.Value.Node, 1, value);
        if (queries is null || keys is null || values is null || !Same(queries, keys) || !Same(queries, values) || TokenOrder.Of(queries[0], queries[1]) is not { } order)
            return (null, "tokens are not rows of the Linear");
        if (order.RowCount != rows.Count / shape[^1] || !IsPutBack(block.Value, queries, contextShape))
            return (null, "the result of a token is not read in its row");
        (double scale, PositionTerm? position, string why) = new PositionReader(block.QueryKey, order.TokenCount, _constants).Read(block.Softmax);
        if (position is null)
            return (null, why);
        if (key.OtherReadings.Count > 0 || value.OtherReadings.Count > 0 || query.OtherReadings.Any(r => r.Reader is not { OpType: "Einsum" }) || position is NoPosition or BiasPosition && query.OtherReadings.Count > 0)
            return (null, "query, key or value are read by something else too");
        return (new SelfAttention
        {
            Block = block,
            Columns = columns,
            Order = order,
            Scale = scale,
            Position = position,
            Window = WindowPartition.Around(layer, block.Value.Projection, order, _sizes),
        }, "");
    }

    /// <summary>The digits of groups and of tokens of an operand.</summary>
    private static ImmutableArray<AxisDigit>[]? Digits(IReadOnlyList<ChannelReading> readings, Node product, int input, AttentionOperand operand, bool isKey = false)
    {
        if (readings.FirstOrDefault(r => r.Reader == product && r.InputIndex == input && r.Path.Select(s => s.Output).SequenceEqual(operand.Reading.Path.Select(s => s.Output))) is not { Map: { } map })
            return null;
        int channels = map.Rank - (isKey ? 2 : 1), tokens = map.Rank - (isKey ? 1 : 2);
        return map.HasChannels(channels) ? null : [[.. Enumerable.Range(0, map.Rank - 2).SelectMany(a => map.Axes[a]).Where(d => d.Stride != 0)], map.Axes[tokens]];
    }

    private static bool Same(ImmutableArray<AxisDigit>[] a, ImmutableArray<AxisDigit>[] b) => a[0].SequenceEqual(b[0]) && a[1].SequenceEqual(b[1]);

    /// <summary>Whether the projection reads at each row what the token of that row became.</summary>
    private bool IsPutBack(ValueProduct value, ImmutableArray<AxisDigit>[] digits, long[] contextShape)
    {
        ChannelMap? operand = value.Value.Reading.Map;
        if (operand is null || _sizes.Of(value.Node.Output) is not { } sizes || sizes.Length != operand.Rank)
            return false;
        var axes = new List<IEnumerable<AxisDigit>>();
        int group = 0;
        for (int axis = 0; axis < operand.Rank - 2; axis++)
        {
            var own = new List<AxisDigit>();
            foreach (AxisDigit digit in operand.Axes[axis])
            {
                long left = digit.Stride != 0 ? 1 : digit.Size;
                while (left > 1 && group < digits[0].Length && left % digits[0][group].Size == 0)
                {
                    own.Add(digits[0][group]);
                    left /= digits[0][group++].Size;
                }

                if (digit.Stride != 0)
                    own.Add(new AxisDigit(digit.Size, 0));
                else if (left > 1)
                    return false;
            }

            axes.Add(own);
        }

        axes.Add(digits[1]);
        axes.Add([new AxisDigit(sizes[^1], 0)]);
        ChannelReading? merged = new ChannelFlow(FlowOperators.MovementOnly, _sizes).Readings(value.Node.Output, ChannelMap.Of(0, axes)).FirstOrDefault(r => r.Reader == value.Projection.Node);
        ChannelMap expected = TokenRows.Of(contextShape);
        return merged?.Map is { } map && Enumerable.Range(0, map.Rank).All(a => map.Axes[a].SequenceEqual(expected.Axes[a]));
    }

    private static ColumnLayout? Layout(AttentionOperand query, AttentionOperand key, AttentionOperand value)
    {
        if (query.HeadSize != key.HeadSize || query.HeadSize != value.HeadSize || query.Heads != key.Heads || query.Heads != value.Heads)
            return null;
        (int heads, int size) = (query.Heads, query.HeadSize);
        long part = key.Columns[0] - query.Columns[0], head = heads > 1 ? query.Columns[size] - query.Columns[0] : 0, channel = size > 1 ? query.Columns[1] - query.Columns[0] : 0;
        for (int p = 0; p < 3; p++)
        {
            ImmutableArray<int> columns = new[] { query, key, value }[p].Columns;
            if (columns.Where((column, i) => column != (p * part) + (i / size * head) + (i % size * channel)).Any())
                return null;
        }

        (int Role, long Size, long Stride)[] digits =
        [
            .. new[] { (ColumnLayout.Part, 3L, part), (ColumnLayout.Head, heads, head), (ColumnLayout.Channel, size, channel) }.OrderByDescending(d => d.Item3 == 0 ? 1 : d.Item3),
        ];
        long stride = 1;
        for (int i = digits.Length - 1; i >= 0; i--)
        {
            if (digits[i].Size > 1 && digits[i].Stride != stride)
                return null;
            stride *= digits[i].Size;
        }

        return stride == query.Layer.OutputChannels ? new ColumnLayout([.. digits.Select(d => (d.Role, d.Size))]) : null;
    }
}
