using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Equalization;

/// <summary>
/// Evens out the channels between two layers that have a Relu or nothing between them:
/// layer(Relu(layer(x, V, a)), W, b) => layer(Relu(layer(x, V / s, a / s)), W * s, b).
/// </summary>
/// <remarks>
/// Exact up to rounding: Relu(x / s) = Relu(x) / s for every s > 0 (arXiv 1906.04721), and zeros padded in between stay zeros. Layers are Linear, Conv and ConvTranspose;
/// several may read the channels. Guards: nothing but layers reads them, behind operators that move elements; all constants are initializers.
/// </remarks>
public sealed class EqualizeReluChain(CalibrationStatistics statistics, EqualizationOptions? options = null) : EqualizationPass(statistics, options)
{
    private sealed record Site(QuantizableLayer First, IReadOnlyList<LayerInput> Layers, string? Why);

    /// <summary>The inputs of the layers behind.</summary>
    public static IReadOnlyList<ObservedValue> RequestedStatistics(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Distinct(Sites(model).Where(s => s.Why is null).SelectMany(s => s.Layers).Select(l => l.Observed));
    }

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        foreach (Site site in Sites(model))
        {
            if (site.Why is { } why || LayerInput.RangesOf(site.Layers, Statistics, out why) is not { } ranges)
            {
                Miss(context, site.First.Name, why);
                continue;
            }

            ChannelEqualization? found = EqualizationSearch.Choose(ranges, [.. site.Layers.Select(l => WeightProfile.Of(l.Layer, l.Inputs))], canShift: false, Options);
            if (found is null || !context.Step(site.First.Node, $"{ranges.Count} channels, error {found.ErrorShare:G3} of what it was"))
                continue;
            LayerEdit.ScaleOutputs(site.First, [.. found.Scale.Select(s => 1 / s)]);
            foreach (LayerInput layer in site.Layers)
                layer.Absorb(found.Scale, null);
            changes++;
        }

        return changes;
    }

    /// <summary>Layers that only other layers read, and those behind whose Relu something else reads.</summary>
    private static IEnumerable<Site> Sites(Model model)
    {
        IReadOnlyDictionary<Node, QuantizableLayer> layers = LayerInput.LayersOf(model);
        var flow = new ChannelFlow(FlowOperators.Relu | FlowOperators.ZeroPadding, new AxisSizes());
        foreach (Node node in model.Graph.Nodes)
        {
            if (!layers.TryGetValue(node, out QuantizableLayer? first))
                continue;
            IReadOnlyList<ChannelReading> readings = flow.Readings(first.Output, first.InputChannelAxis);
            (IReadOnlyList<LayerInput> found, string? why) = LayerInput.Of(readings, layers, first.OutputChannels);
            why ??= LayerEdit.Refusal(first);
            if (why is null || readings.Any(r => r.Path.Any(s => s.Node.OpType == "Relu")))
                yield return new Site(first, found, why);
        }
    }
}
