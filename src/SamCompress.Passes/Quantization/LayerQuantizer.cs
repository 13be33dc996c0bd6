using SamCompress.Passes.Quantization.Search;
using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Passes.Quantization;

/// <summary>The integers and the bias that a layer gets.</summary>
/// <param name="Scales">See <see cref="LayerPlan.WeightScales"/>.</param>
/// <param name="Codes">In the order of the stored weight; null when each is the nearest to its weight.</param>
internal sealed record QuantizedWeight(float[] Scales, sbyte[]? Codes, float[]? Bias);

/// <summary>Quantizes the weight of one layer: searches the scales, refits and rounds, and corrects the bias. Pure.</summary>
/// <param name="highest">The weights lie between its negative and itself.</param>
/// <param name="block">How many inputs share a scale; 0 when all do.</param>
internal sealed class LayerQuantizer(QuantizableLayer layer, QuantizationOptions options, int highest = 127, int block = 0)
{
    /// <summary>Of the mean power of an input, for second moments of few pictures.</summary>
    private const double Damping = 0.01;

    private readonly WeightMatrix _weight = WeightMatrix.Of(layer);

    /// <summary>For each input channel the squared norm of its weights: how much an error there matters.</summary>
    /// <param name="sensitivity">Weight of each output channel; null for equal ones.</param>
    public float[] Importance(IReadOnlyList<float>? sensitivity)
    {
        var importance = new float[layer.InputChannels];
        for (int k = 0; k < _weight.Rows; k++)
        {
            for (int c = 0; c < _weight.Columns; c++)
            {
                float w = _weight.Elements[(k * _weight.Columns) + c];
                importance[InputChannel(k, c)] += w * w * (sensitivity?[c] ?? 1);
            }
        }

        return importance;
    }

    /// <param name="input">The grid of the input; null when it stays float.</param>
    /// <param name="samples">Null when there are none: then scales are not searched, and weights are rounded to the nearest.</param>
    /// <param name="mean">Of each input channel.</param>
    public QuantizedWeight Quantize(QuantizationGrid? input, ActivationSamples? samples, IReadOnlyList<double>? mean)
    {
        float[] scales = Scales(input, samples);
        float[]? bias = layer.Bias?.ToArray<float>();
        if (layer.Kind == LayerKind.Conv && bias is not null && input is { } grid)
            MakeRoomForBias(scales, bias, grid.Scale);
        sbyte[]? codes = options.Rounding == WeightRounding.Gptq && layer.Kind == LayerKind.Linear && samples is { Gram.Length: > 0 }
            ? Gptq(input, samples, scales)
            : null;
        if (options.CorrectBias && mean is not null && mean.Count == layer.InputChannels)
        {
            double[] lost = LostMean(codes ?? Nearest(scales), scales, mean);
            bias = [.. lost.Select((l, c) => (float)((bias?[c] ?? 0) + l))];
        }

        return new QuantizedWeight(scales, codes is null ? null : WeightMatrix.Stored(layer, codes), bias);
    }

    private float[] Scales(QuantizationGrid? input, ActivationSamples? samples)
    {
        var search = new WeightSearch(_weight, highest, options.Metric);
        if (samples is null || options.Metric is SearchMetric.MinMax or SearchMetric.Percentile)
            return block > 0 ? search.LargestOfBlocks(block) : search.Largest();
        float[] power = Power(input, samples);
        float[] moments = layer.Kind == LayerKind.Linear && samples.Gram.Length > 0 ? Moments(samples) : [];
        return block > 0 ? search.FindBlocks(power, moments, block) : search.Find(power, moments);
    }

    /// <summary>
    /// The mean power of the quantized input that each row of the weight meets, without that of its mean where the bias makes up for it; 1 where that is not
    /// one channel for all output channels.
    /// </summary>
    private float[] Power(QuantizationGrid? input, ActivationSamples samples)
    {
        var result = new float[_weight.Rows];
        Array.Fill(result, 1);
        if (layer.Groups > 1 || samples.RowCount == 0)
            return result;
        float[] ofChannel = PowerOfChannels(input, samples);
        for (int k = 0; k < result.Length; k++)
            result[k] = ofChannel[InputChannel(k, 0)];
        return result;
    }

    private float[] PowerOfChannels(QuantizationGrid? input, ActivationSamples samples)
    {
        float[] power = new float[samples.Channels], sum = new float[samples.Channels], row = new float[samples.Channels];
        for (int start = 0; start < samples.Rows.Length; start += row.Length)
        {
            samples.Rows.AsSpan(start, row.Length).CopyTo(row);
            if (input is { } grid)
            {
                for (int k = 0; k < row.Length; k++)
                    row[k] = grid.Round(row[k]);
            }

            Tp.Add(sum, row, sum);
            Tp.MultiplyAdd(row, row, power, power);
        }

        for (int k = 0; k < power.Length; k++)
        {
            float mean = options.CorrectBias ? sum[k] / samples.RowCount : 0;
            power[k] = Math.Max((power[k] / samples.RowCount) - (mean * mean), 0);
        }

        return power;
    }

    /// <summary>E[x x^T], or the covariance where the bias makes up for the mean, so that only what varies counts.</summary>
    private float[] Moments(ActivationSamples samples)
    {
        if (!options.CorrectBias)
            return samples.Gram;
        int rows = _weight.Rows;
        var moments = new float[samples.Gram.Length];
        for (int k = 0; k < rows; k++)
        {
            Span<float> row = moments.AsSpan(k * rows, rows);
            Tp.Multiply(samples.GramMean, -samples.GramMean[k], row);
            Tp.Add(row, samples.Gram.AsSpan(k * rows, rows), row);
        }

        return moments;
    }

    private sbyte[] Gptq(QuantizationGrid? input, ActivationSamples samples, float[] scales)
    {
        int rows = _weight.Rows;
        float[] moments = Moments(samples);
        double power = 0;
        for (int k = 0; k < rows; k++)
            power += moments[(k * rows) + k] / (double)rows;
        double noise = input is { } grid ? (double)grid.Scale * grid.Scale / 12 : 0;
        var gptq = new Gptq(moments, rows, noise + Math.Max(Damping * power, 1e-12));
        var weight = _weight with { Elements = (float[])_weight.Elements.Clone() };
        if (options.RefitWeights && noise > 0)
            gptq.Refit(weight, noise);
        float[][] scalesOf = ScalesOfInputs(scales);
        return gptq.Round(weight, k => scalesOf[block > 0 ? k / block : 0], highest);
    }

    /// <summary>The scales of all output channels, for each block of inputs.</summary>
    private float[][] ScalesOfInputs(float[] scales)
    {
        if (block == 0)
            return [scales];
        int blocks = scales.Length / _weight.Columns;
        var result = new float[blocks][];
        for (int b = 0; b < blocks; b++)
        {
            result[b] = new float[_weight.Columns];
            for (int c = 0; c < result[b].Length; c++)
                result[b][c] = scales[(c * blocks) + b];
        }

        return result;
    }

    private sbyte[] Nearest(float[] scales)
    {
        var codes = new sbyte[_weight.Elements.Length];
        float[][] scalesOf = ScalesOfInputs(scales);
        for (int k = 0; k < _weight.Rows; k++)
        {
            int start = k * _weight.Columns;
            WeightQuantizer.Quantize(
                _weight.Elements.AsSpan(start, _weight.Columns), new ChannelLayout(1, _weight.Columns, 1), scalesOf[block > 0 ? k / block : 0], highest, codes.AsSpan(start, _weight.Columns));
        }

        return codes;
    }

    /// <summary>
    /// The mean of what rounding the weights takes away from each output: E[x] (w - q(w)). The error of the input has no part in it: its mean is that of
    /// a few clipped tokens, and making up for it would shift all the others (measured: 2 dB worse).
    /// </summary>
    private double[] LostMean(sbyte[] codes, float[] scales, IReadOnlyList<double> mean)
    {
        float[][] scalesOf = ScalesOfInputs(scales);
        var lost = new double[_weight.Columns];
        for (int k = 0; k < _weight.Rows; k++)
        {
            float[] scale = scalesOf[block > 0 ? k / block : 0];
            for (int c = 0; c < lost.Length; c++)
            {
                int channel = InputChannel(k, c), i = (k * lost.Length) + c;
                lost[c] += mean[channel] * (_weight.Elements[i] - ((double)codes[i] * scale[c]));
            }
        }

        return lost;
    }

    /// <summary>The input channel that row <paramref name="row"/> of the weight of an output channel meets.</summary>
    private int InputChannel(int row, int outputChannel)
    {
        if (layer.Kind == LayerKind.Linear)
            return row;
        int inGroup = layer.InputChannels / layer.Groups, outGroup = layer.OutputChannels / layer.Groups;
        int positions = _weight.Rows * _weight.Columns / layer.OutputChannels / inGroup;
        return layer.Kind == LayerKind.Conv
            ? (outputChannel / outGroup * inGroup) + (row / positions)
            : row / positions;
    }

    /// <summary>Widens the scale of channels whose bias, in units of input scale times weight scale, would not fit 32 bits.</summary>
    private static void MakeRoomForBias(float[] scales, float[] bias, float inputScale)
    {
        for (int i = 0; i < scales.Length; i++)
        {
            float least = (float)(Math.Abs(bias[i]) / ((double)inputScale * (1 << 30)));
            if (scales[i] < least && float.IsFinite(least))
                scales[i] = least;
        }
    }
}
