using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Equalization;

/// <summary>
/// Evens out the channels of query and key, so that each can be quantized with one scale:
/// softmax(q.k + rest) => softmax((q * r).((k - z) / r) + rest), with r and z for each head and channel folded into the Linear layers.
/// </summary>
/// <remarks>
/// Exact up to rounding: r cancels, and q.z is the same for all keys, which a Softmax does not see. Where a relative position term reads the query too, and a Mul by a
/// constant lies behind that, r goes into its constant, and the term still reads the query as it was. Keys without bias, which cannot be shifted, get the signs that
/// make their means positive. Guards: the attention is recognized; nothing else reads key or query; for the shift also: the logits go
/// nowhere but into the Softmax. Heads are evened out where a constant scales the logits, if <see cref="EqualizationOptions.EqualizeHeads"/> says so.
/// </remarks>
public sealed class EqualizeQueryKey(CalibrationStatistics statistics, EqualizationOptions? options = null) : EqualizationPass(statistics, options)
{
    /// <summary>The biggest constant that a scale of the query is made into.</summary>
    private const long MostElements = 1 << 20;

    /// <summary>The outputs of the Linear layers that make query and key.</summary>
    public static IReadOnlyList<ObservedValue> RequestedStatistics(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Distinct(AttentionFinder.Find(model).Blocks.Select(b => b.QueryKey).OfType<QueryKeyProduct>().Where(p => Refusal(p) is null)
            .SelectMany(p => (QuantizableLayer[])[p.Query.Layer, p.Key.Layer])
            .Select(l => new ObservedValue(l.Output.Name, -1, l.OutputChannels)));
    }

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        AttentionView view = AttentionFinder.Find(model);
        foreach (AttentionMiss miss in view.Misses.Where(m => m.Part == AttentionMiss.QueryAndKey))
            Miss(context, miss.Softmax.ToString(), miss.Reason);
        int changes = 0;
        foreach (QueryKeyProduct product in view.Blocks.Select(b => b.QueryKey).OfType<QueryKeyProduct>())
        {
            if (Refusal(product) is { } why
                || ChannelRanges.Find(Statistics, product.Query.Layer.Output.Name, product.Query.Columns, out why) is not { } query
                || ChannelRanges.Find(Statistics, product.Key.Layer.Output.Name, product.Key.Columns, out why) is not { } key)
            {
                Miss(context, product.Node.ToString(), why);
                continue;
            }

            FlowStep? ownScale = product.Query.OtherReadings.Count > 0 ? OwnScale(product.Query) : null;
            bool canScale = product.Query.OtherReadings.Count == 0 || ownScale is not null;
            if (!canScale)
                Miss(context, product.Node.ToString(), $"the query is read elsewhere, and no constant of its own scales it before the product: {product.Query.OtherReadings[0]}");
            var search = new QueryKeySearch(query, key, product.Query.HeadSize, Options)
            {
                CanScale = canScale,
                CanShift = product.NotShiftInvariant is null && product.Key.Layer.Bias is not null && product.Key.Reading.Path.All(s => ConstantScale(s.Node) is null or { Tensor.Count: 1 }),
                CanScaleHeads = Options.EqualizeHeads && LogitAxis(product) is not null,
            };
            if (search.Choose() is not { } found || !context.Step(product.Node, $"{key.Count} channels of query and key, error {found.ErrorShare:G3} of what it was"))
                continue;
            Apply(product, ownScale, found);
            changes++;
        }

        return changes;
    }

    private static void Apply(QueryKeyProduct product, FlowStep? ownScale, QueryKeyEqualization found)
    {
        AttentionOperand key = product.Key, query = product.Query;
        if (found.KeyShift is { } shift)
        {
            var addends = new double[key.Layer.OutputChannels];
            for (int c = 0; c < shift.Length; c++)
                addends[key.Columns[c]] = -shift[c];
            LayerEdit.AddToBias(key.Layer, addends);
        }

        if (found.QueryFactor.Any(f => f != 1))
        {
            if (ownScale is { } step)
                ScaleConstant(step, query, found.QueryFactor);
            else
                LayerEdit.ScaleOutputs(query.Layer, Spread(query, found.QueryFactor));
        }

        if (found.KeyFactor.Any(f => f != 1))
            LayerEdit.ScaleOutputs(key.Layer, Spread(key, found.KeyFactor));
        if (found.HeadFactor.Any(f => f != 1))
            ScaleLogits(product, found.HeadFactor);
    }

    private static float[] Spread(AttentionOperand operand, float[] factors)
    {
        var spread = new float[operand.Layer.OutputChannels];
        Array.Fill(spread, 1);
        for (int c = 0; c < factors.Length; c++)
            spread[operand.Columns[c]] = factors[c];
        return spread;
    }

    /// <summary>The last Mul or Div by a scalar that only the product sees the result of.</summary>
    private static FlowStep? OwnScale(AttentionOperand query)
    {
        HashSet<long> own = [.. query.Columns.Select(c => (long)c)];
        foreach (FlowStep step in query.Reading.Path.Reverse())
        {
            bool isScalar = ConstantScale(step.Node) is { Tensor: { Count: 1, ElementType: ElementType.Float } };
            bool isShared = query.OtherReadings.Any(r => r.Map is null || r.Path.Any(other => other.Node == step.Node));
            if (isScalar && !isShared && ShapeOfFactors(step) is not null && step.After.Channels().All(own.Contains))
                return step;
        }

        return null;
    }

    /// <summary>One element for each position along the axes with channels, or null when a size is not known or it would be too many.</summary>
    private static long[]? ShapeOfFactors(FlowStep step)
    {
        if (step.Output.Shape is not { } shape || shape.Rank != step.After.Rank)
            return null;
        var sizes = new long[shape.Rank];
        for (int axis = 0; axis < sizes.Length; axis++)
        {
            sizes[axis] = step.After.HasChannels(axis) ? shape[axis].Value ?? 0 : 1;
            if (sizes[axis] == 0 || (sizes[axis] > 1 && sizes[axis] != step.After.Size(axis)))
                return null;
        }

        return sizes.Aggregate(1L, (product, size) => product * size) <= MostElements ? [.. sizes.SkipWhile(s => s == 1)] : null;
    }

    private static void ScaleConstant(FlowStep step, AttentionOperand query, float[] factors)
    {
        Dictionary<long, float> byColumn = query.Columns.Select((column, c) => (column, c)).ToDictionary(p => (long)p.column, p => factors[p.c]);
        long[] columns = [step.After.Offset];
        foreach (int axis in Enumerable.Range(0, step.After.Rank).Where(step.After.HasChannels))
            columns = [.. columns.SelectMany(_ => step.After.Along(axis), (start, along) => start + along)];
        (int input, Tensor tensor) = ConstantScale(step.Node)!.Value;
        float scale = tensor.ToArray<float>()[0];
        bool divides = step.Node.OpType == "Div";
        LayerEdit.Replace(step.Node, input, Tensor.Of([.. columns.Select(c => divides ? scale / byColumn[c] : scale * byColumn[c])], ShapeOfFactors(step)));
    }

    private static void ScaleLogits(QueryKeyProduct product, float[] headFactors)
    {
        (int input, Tensor tensor) = ConstantScale(product.LogitScale!)!.Value;
        (long size, HeadPlace place) = LogitAxis(product)!.Value;
        float scale = tensor.ToArray<float>()[0];
        bool divides = product.LogitScale!.OpType == "Div";
        var factors = new float[size];
        for (int p = 0; p < factors.Length; p++)
        {
            float taken = headFactors[p / place.Inner % place.Heads];
            factors[p] = divides ? scale * taken : scale / taken;
        }

        long[] shape = [size, .. Enumerable.Repeat(1L, -place.AxisFromEnd - 1)];
        LayerEdit.Replace(product.LogitScale, input, Tensor.Of(factors, shape));
    }

    /// <summary>The size of the axis of the logits that the heads are in, where a scalar scales them.</summary>
    private static (long Size, HeadPlace Place)? LogitAxis(QueryKeyProduct product)
    {
        if (product.LogitScale is not { } scale || ConstantScale(scale) is not { Tensor: { Count: 1, ElementType: ElementType.Float } } || product.Query.Place is not { } place)
            return null;
        return product.Node.Output.Shape is { } shape && shape.Rank + place.AxisFromEnd is >= 0 and var axis && shape[axis].Value is { } size && size % (place.Inner * place.Heads) == 0
            ? (size, place)
            : null;
    }

    private static (int Input, Tensor Tensor)? ConstantScale(Node node)
    {
        if (node.OpType is not ("Mul" or "Div"))
            return null;
        return node.Input(1)?.Constant is { } right ? (1, right) : node.Input(0)?.Constant is { } left ? (0, left) : null;
    }

    private static string? Refusal(QueryKeyProduct product) =>
        product.Key.OtherReadings.Count > 0 ? $"a column of the key is read elsewhere: {product.Key.OtherReadings[0]}"
        : LayerEdit.Refusal(product.Query.Layer) ?? LayerEdit.Refusal(product.Key.Layer);
}
