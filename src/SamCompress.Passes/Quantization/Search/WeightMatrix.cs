using SamCompress.IR;

namespace SamCompress.Passes.Quantization.Search;

/// <summary>A layer's weight as [inputs, output channels]: what it is multiplied by from the right, whichever way it is stored.</summary>
/// <param name="Rows">Inputs of one output channel: for a convolution those of one group times the positions of its kernel.</param>
/// <param name="Columns">Output channels.</param>
internal sealed record WeightMatrix(float[] Elements, int Rows, int Columns)
{
    public static WeightMatrix Of(QuantizableLayer layer)
    {
        using TensorLease lease = layer.Weight.Open();
        ReadOnlySpan<float> stored = lease.As<float>();
        (int outer, int channels, int inner) = Layout(layer);
        var elements = new float[stored.Length];
        for (int o = 0, i = 0; o < outer; o++)
        {
            for (int c = 0; c < channels; c++)
            {
                for (int k = 0; k < inner; k++, i++)
                    elements[(((o * inner) + k) * channels) + c] = stored[i];
            }
        }

        return new WeightMatrix(elements, outer * inner, channels);
    }

    /// <summary>Codes of [inputs, output channels] in the order in which the weight is stored.</summary>
    public static sbyte[] Stored(QuantizableLayer layer, ReadOnlySpan<sbyte> codes)
    {
        (int outer, int channels, int inner) = Layout(layer);
        var stored = new sbyte[codes.Length];
        for (int o = 0, i = 0; o < outer; o++)
        {
            for (int c = 0; c < channels; c++)
            {
                for (int k = 0; k < inner; k++, i++)
                    stored[i] = codes[(((o * inner) + k) * channels) + c];
            }
        }

        return stored;
    }

    private static ChannelLayout Layout(QuantizableLayer layer) => ChannelLayout.Of(layer.Weight.Dimensions, layer.WeightAxis);
}
