using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Equalization;

/// <summary>
/// Evens out the channels behind a normalization, for layers that quantize them with one scale:
/// Linear(LayerNormalization(x, gamma, beta), W, b) => Linear(LayerNormalization(x, gamma / s, (beta - z) / s), W * s, b + z.W).
/// </summary>
/// <remarks>
/// Exact up to rounding. Also for several Linears and Convs behind one normalization, through windows, and for the Mul and Add of one constant per channel
/// that end a normalization over maps. Guards: nothing but layers reads the result; all constants are initializers. The shift z needs a bias
/// in every layer and no zeros padded in between, which a shift would not reach. s is SmoothQuant's (arXiv 2211.10438), its strength searched.
/// </remarks>
public sealed class EqualizeLayerNormalization(CalibrationStatistics statistics, EqualizationOptions? options = null) : EqualizationPass(statistics, options)
{
    /// <param name="Node">The one whose output is equalized.</param>
    /// <param name="Gamma">The input of a node that multiplies each channel.</param>
    /// <param name="Beta">The input of <paramref name="Node"/> that is added to each channel. LayerNormalization may leave it out.</param>
    private sealed record Site(Node Node, Use Gamma, int Beta, int Channels, IReadOnlyList<LayerInput> Layers, string? Why);

    /// <summary>The inputs of the layers behind normalizations.</summary>
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
                Miss(context, site.Node.ToString(), why);
                continue;
            }

            bool canShift = site.Layers.All(l => !l.IsPadded && l.Layer.Bias is not null);
            ChannelEqualization? found = EqualizationSearch.Choose(ranges, [.. site.Layers.Select(l => WeightProfile.Of(l.Layer, l.Inputs))], canShift, Options);
            if (found is null || !context.Step(site.Node, $"{site.Channels} channels, error {found.ErrorShare:G3} of what it was"))
                continue;
            Scale(site, found);
            foreach (LayerInput layer in site.Layers)
                layer.Absorb(found.Scale, found.Shift);
            changes++;
        }

        return changes;
    }

    private static void Scale(Site site, ChannelEqualization found)
    {
        Tensor gamma = site.Gamma.Node.Input(site.Gamma.InputIndex)!.Constant!;
        LayerEdit.Replace(site.Gamma.Node, site.Gamma.InputIndex, Tensor.Of([.. gamma.ToArray<float>().Select((g, c) => g / found.Scale[c])], gamma.Dimensions.AsSpan()));
        Tensor? beta = site.Node.Input(site.Beta)?.Constant;
        if (beta is null && found.Shift is null)
            return;
        float[] old = beta?.ToArray<float>() ?? new float[site.Channels];
        var moved = Tensor.Of([.. old.Select((b, c) => (b - (found.Shift?[c] ?? 0)) / found.Scale[c])], (beta?.Dimensions ?? gamma.Dimensions).AsSpan());
        if (beta is not null)
        {
            LayerEdit.Replace(site.Node, site.Beta, moved);
            return;
        }

        Graph graph = site.Node.Graph!;
        site.Node.ResizeInputs(site.Beta + 1);
        site.Node.ReplaceInput(site.Beta, graph.AddInitializer(graph.FreshName(site.Node.Input(1)!.Name + "_bias"), moved));
    }

    private static IEnumerable<Site> Sites(Model model)
    {
        IReadOnlyDictionary<Node, QuantizableLayer> layers = LayerInput.LayersOf(model);
        var flow = new ChannelFlow(FlowOperators.ZeroPadding, new AxisSizes());
        foreach (Node node in model.Graph.Nodes)
        {
            if ((OverLastAxis(node) ?? OverMaps(node)) is not var (gamma, beta, channels, axis, problem))
                continue;
            (IReadOnlyList<LayerInput> found, string? why) = problem is null ? LayerInput.Of(flow.Readings(node.Output, axis), layers, channels) : ([], problem);
            yield return new Site(node, gamma, beta, channels, found, why);
        }
    }

    private static (Use Gamma, int Beta, int Channels, int Axis, string? Problem)? OverLastAxis(Node node)
    {
        if (!node.Is("LayerNormalization"))
            return null;
        string? problem =
            !node.NormalizesLastAxis() ? "it normalizes several axes at once"
            : node.Input(1)?.Constant is not { ElementType: ElementType.Float, Rank: 1 } ? "its scale is no initializer"
            : node.Input(2) is { } bias && bias.Constant is not { ElementType: ElementType.Float, Rank: 1 } ? "its bias is no initializer"
            : node.Outputs.Skip(1).Any(o => o is { IsUsed: true }) ? "its mean or deviation is used"
            : null;
        return (new Use(node, 1), 2, problem is null ? (int)node.Input(1)!.Constant!.Count : 0, -1, problem);
    }

    /// <summary>Add(Mul(x, gamma), beta) with one element for each channel.</summary>
    private static (Use Gamma, int Beta, int Channels, int Axis, string? Problem)? OverMaps(Node node)
    {
        if (!node.Is("Add") || PerChannel(node) is not var (beta, axis, channels))
            return null;
        if (node.Input(1 - beta) is not { Uses.Count: 1, IsGraphOutput: false, Producer: { } mul } || !mul.Is("Mul") || PerChannel(mul) is not var (gamma, gammaAxis, gammaChannels))
            return null;
        bool isNormalization = mul.Input(1 - gamma)?.Producer is { } div && div.Is("Div") && div.Input(1)?.Producer is { OpType: "Sqrt" };
        return isNormalization && axis == gammaAxis && channels == gammaChannels ? (new Use(mul, gamma), beta, channels, axis, null) : null;
    }

    /// <summary>Which input is a constant with several elements along one axis, that axis from the end, and how many.</summary>
    private static (int Input, int Axis, int Channels)? PerChannel(Node node)
    {
        for (int input = 0; input < 2; input++)
        {
            if (node.Input(input)?.Constant is not { ElementType: ElementType.Float, Count: > 1 } tensor || node.Output.Shape is not { } shape || tensor.Rank > shape.Rank)
                continue;
            int axis = tensor.Dimensions.IndexOf(tensor.Count);
            if (axis >= 0 && shape[shape.Rank - tensor.Rank + axis].Value == tensor.Count)
                return (input, axis - tensor.Rank, (int)tensor.Count);
        }

        return null;
    }
}
