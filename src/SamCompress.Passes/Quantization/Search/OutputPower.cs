namespace SamCompress.Passes.Quantization.Search;

/// <summary>The mean power of what a Linear gives.</summary>
public static class OutputPower
{
    /// <param name="rows">How many of the sampled inputs to compute it from, at most.</param>
    /// <returns>E[y^2] of each output channel, without the bias.</returns>
    public static double[] Of(QuantizableLayer layer, ActivationSamples samples, int rows)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(samples);
        WeightMatrix weight = WeightMatrix.Of(layer);
        int count = Math.Min(rows, samples.RowCount), step = Math.Max(1, samples.RowCount / Math.Max(count, 1));
        var inputs = new float[count * samples.Channels];
        for (int r = 0; r < count; r++)
            samples.Rows.AsSpan(r * step * samples.Channels, samples.Channels).CopyTo(inputs.AsSpan(r * samples.Channels));
        var outputs = new float[count * weight.Columns];
        DenseMatrix.MultiplyAdd(inputs, weight.Elements, outputs, count, weight.Rows, weight.Columns);
        var power = new double[weight.Columns];
        for (int i = 0; i < outputs.Length; i++)
            power[i % weight.Columns] += (double)outputs[i] * outputs[i] / count;
        return power;
    }
}
