using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Equalization;

/// <summary>A layer that reads equalized channels.</summary>
/// <param name="Inputs">For each channel the input channel of the layer that it is.</param>
/// <param name="IsPadded">Whether the layer also sees zeros beside the channels, so that a shift cannot be taken back in its bias.</param>
internal sealed record LayerInput(QuantizableLayer Layer, IReadOnlyList<int> Inputs, bool IsPadded)
{
    public ObservedValue Observed => new(Layer.Input.Name, Layer.InputChannelAxis, Layer.InputChannels);

    /// <summary>The layers behind readings that are nothing but all the channels of their inputs; or why there is another reader.</summary>
    public static (IReadOnlyList<LayerInput> Layers, string? Why) Of(
        IReadOnlyList<ChannelReading> readings, IReadOnlyDictionary<Node, QuantizableLayer> layers, int channels)
    {
        var inputs = new List<LayerInput>();
        foreach (ChannelReading reading in readings)
        {
            if (reading.Reader is null || reading.InputIndex != 0 || !layers.TryGetValue(reading.Reader, out QuantizableLayer? layer))
                return ([], reading.ToString());
            if (PlacesIn(layer, reading.Map, channels) is not { } places)
                return ([], $"{layer.Name} does not read the channels as its input channels");
            if (LayerEdit.Refusal(layer) is { } refusal)
                return ([], refusal);
            inputs.Add(new LayerInput(layer, places, reading.IsPadded || PadsInput(layer)));
        }

        return (inputs, inputs.Count == 0 ? "nothing reads it" : null);
    }

    /// <summary>By node, for <see cref="Of"/>.</summary>
    public static IReadOnlyDictionary<Node, QuantizableLayer> LayersOf(Model model) => LayerFinder.Find(model.Graph).ToDictionary(l => l.Node);

    /// <summary>The ranges that all of the layers see, in the order of the channels; or why they are not known.</summary>
    public static ChannelRanges? RangesOf(IReadOnlyList<LayerInput> inputs, CalibrationStatistics statistics, out string why)
    {
        ChannelRanges? all = null;
        why = "";
        foreach (LayerInput input in inputs)
        {
            if (ChannelRanges.Find(statistics, input.Layer.Input.Name, input.Inputs, out why) is not { } ranges)
                return null;
            all = all?.With(ranges) ?? ranges;
        }

        return all;
    }

    /// <summary>Multiplies the weights that meet channel c by scale[c], and lets the bias, if there is a shift, add what was taken from the channels.</summary>
    public void Absorb(float[] scale, float[]? shift)
    {
        if (shift is not null)
            LayerEdit.AddToBias(Layer, LayerEdit.Response(Layer, Reordered(shift)));
        LayerEdit.ScaleInputs(Layer, Reordered(scale));
    }

    private float[] Reordered(float[] byChannel)
    {
        var result = new float[byChannel.Length];
        for (int c = 0; c < result.Length; c++)
            result[Inputs[c]] = byChannel[c];
        return result;
    }

    private static int[]? PlacesIn(QuantizableLayer layer, ChannelMap? map, int channels)
    {
        if (map is null || layer.InputChannels != channels)
            return null;
        int axis = layer.InputChannelAxis < 0 ? map.Rank + layer.InputChannelAxis : layer.InputChannelAxis;
        if (axis < 0 || axis >= map.Rank || map.Size(axis) != channels || Enumerable.Range(0, map.Rank).Any(a => a != axis && map.HasChannels(a)))
            return null;
        long[] along = map.Along(axis);
        var places = new int[channels];
        Array.Fill(places, -1);
        for (int i = 0; i < along.Length; i++)
            places[along[i] + map.Offset] = i;
        return places.Contains(-1) ? null : places;
    }

    /// <summary>A ConvTranspose meets fewer of its weights at the border, which is the same trouble.</summary>
    private static bool PadsInput(QuantizableLayer layer) => layer.Kind switch
    {
        LayerKind.Linear => false,
        LayerKind.ConvTranspose => true,
        _ => (layer.Node.GetInts("pads") ?? []).Any(p => p != 0) || layer.Node.GetString("auto_pad", "NOTSET") is not ("NOTSET" or "VALID"),
    };
}
