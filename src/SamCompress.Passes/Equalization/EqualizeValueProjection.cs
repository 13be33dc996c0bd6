using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Equalization;

/// <summary>
/// Evens out the channels of attention's value, and with them those that the projection quantizes with one scale:
/// projection(softmax.(x.Wv + bv), W, b) => projection(softmax.(x.(Wv / s) + (bv - z) / s), W * s, b + z.W), s and z for each head and channel.
/// </summary>
/// <remarks>
/// Exact up to rounding: the weights of a Softmax sum to 1, so a constant passes through it as it is. Guards: the attention is recognized; nothing but it reads the
/// columns of the value; all constants are initializers. The shift z needs a bias in both layers and no factor on the way.
/// </remarks>
public sealed class EqualizeValueProjection(CalibrationStatistics statistics, EqualizationOptions? options = null) : EqualizationPass(statistics, options)
{
    /// <summary>The inputs of the projections.</summary>
    public static IReadOnlyList<ObservedValue> RequestedStatistics(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Distinct(AttentionFinder.Find(model).Blocks.Where(b => b.Value is not null && Refusal(b.Value) is null).Select(b => Input(b.Value!).Observed));
    }

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        AttentionView view = AttentionFinder.Find(model);
        foreach (AttentionMiss miss in view.Misses.Where(m => m.Part == AttentionMiss.ValueAndProjection))
            Miss(context, miss.Softmax.ToString(), miss.Reason);
        int changes = 0;
        foreach (ValueProduct product in view.Blocks.Select(b => b.Value).OfType<ValueProduct>())
        {
            LayerInput input = Input(product);
            if (Refusal(product) is { } why || LayerInput.RangesOf([input], Statistics, out why) is not { } ranges)
            {
                Miss(context, product.Node.ToString(), why);
                continue;
            }

            bool canShift = product.Projection.Bias is not null && product.Value.Layer.Bias is not null && product.Value.Reading.Path.All(s => s.Node.OpType is not ("Mul" or "Div"));
            ChannelEqualization? found = EqualizationSearch.Choose(ranges, [WeightProfile.Of(product.Projection, product.Rows)], canShift, Options);
            if (found is null || !context.Step(product.Node, $"{found.Scale.Length} channels of the value, error {found.ErrorShare:G3} of what it was"))
                continue;
            Equalize(product.Value, found);
            input.Absorb(found.Scale, found.Shift);
            changes++;
        }

        return changes;
    }

    private static void Equalize(AttentionOperand value, ChannelEqualization found)
    {
        var factors = new float[value.Layer.OutputChannels];
        Array.Fill(factors, 1);
        var addends = new double[factors.Length];
        for (int c = 0; c < value.Columns.Length; c++)
        {
            factors[value.Columns[c]] = 1 / found.Scale[c];
            addends[value.Columns[c]] = -found.Shift?[c] ?? 0;
        }

        if (found.Shift is not null)
            LayerEdit.AddToBias(value.Layer, addends);
        LayerEdit.ScaleOutputs(value.Layer, factors);
    }

    private static LayerInput Input(ValueProduct product) => new(product.Projection, product.Rows, IsPadded: false);

    private static string? Refusal(ValueProduct product) =>
        product.Value.OtherReadings.Count > 0 ? $"a column of the value is read elsewhere: {product.Value.OtherReadings[0]}"
        : LayerEdit.Refusal(product.Value.Layer) ?? LayerEdit.Refusal(product.Projection);
}
