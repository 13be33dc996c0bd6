using SamCompress.Passes.Quantization.Search;
using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Passes.Quantization;

/// <summary>The integers and the bias that a layer gets.</summary>
/// <param name="Scales">See <see cref="LayerPlan.WeightScales"/>.</param>
/// <param name="Codes">In the order of the stored weight; null when each is the nearest to its weight.</param>
internal sealed record QuantizedWeight(float[] Scales, sbyte[]? Codes, float[]? Bias);

/// <summary>Quantizes the weight of one layer: searches the scales, refits and rounds, and corrects the bias. Pure.</summary>
internal sealed class LayerQuantizer(QuantizableLayer layer, QuantizationOptions options, int highest)
{
    /// <summary>Of the mean power of an input, for second moments of few pictures.</summary>
    private const double Damping = 0.01;

    private readonly WeightMatrix _weight = WeightMatrix.Of(layer);

    /// <summary>Whether a bias costs nothing: a convolution's kernel adds it, and a Linear that has none would need an Add.</summary>
    private bool CanCorrect => options.CorrectBias && (layer.Kind == LayerKind.Conv || (layer.Kind == LayerKind.Linear && layer.Bias is not null));

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
        int block = layer.Kind == LayerKind.Linear ? options.Precision.WeightBlock : 0;
        float[] scales = Scales(input, samples, block);
        float[]? bias = layer.Bias?.ToArray<float>();
        if (layer.Kind == LayerKind.Conv && bias is not null && input is { } grid)
            MakeRoomForBias(scales, bias, grid.Scale);
        sbyte[]? codes = options.Rounding == WeightRounding.Gptq && layer.Kind == LayerKind.Linear && samples is { Gram.Length: > 0 }
            ? Gptq(input, samples, scales, block)
            : null;
        if (CanCorrect && mean is not null && mean.Count == layer.InputChannels)
        {
            double[] lost = LostMean(codes ?? Nearest(scales, block), scales, block, mean);
            bias = [.. lost.Select((l, c) => (float)((bias?[c] ?? 0) + l))];
        }

        return new QuantizedWeight(scales, codes is null ? null : WeightMatrix.Stored(layer, codes), bias);
    }

    private float[] Scales(QuantizationGrid? input, ActivationSamples? samples, int block)
    {
        bool searched = samples is not null && options.Metric is not (SearchMetric.MinMax or SearchMetric.Percentile);
        float[] meanSquare = MeanSquare(input, samples);
        var search = new WeightSearch(_weight, highest, options.Metric);
        if (block > 0)
            return search.FindBlocks(meanSquare, block, searched);
        return searched
            ? search.Find(meanSquare, layer.Kind == LayerKind.Linear ? samples!.Gram : [])
            : search.Largest();
    }

    /// <summary>E[x^2] of the quantized input that each row of the weight meets; 1 where that is not one channel for all output channels.</summary>
    private float[] MeanSquare(QuantizationGrid? input, ActivationSamples? samples)
    {
        var result = new float[_weight.Rows];
        Array.Fill(result, 1);
        if (samples is null || layer.Groups > 1)
            return result;
        float[] ofChannel = input is { } grid && samples.RowCount > 0 ? QuantizedMeanSquare(grid, samples) : samples.MeanSquare;
        for (int k = 0; k < result.Length; k++)
            result[k] = ofChannel[InputChannel(k, 0)];
        return result;
    }

    private static float[] QuantizedMeanSquare(QuantizationGrid grid, ActivationSamples samples)
    {
        var sum = new float[samples.Channels];
        for (int start = 0; start < samples.Rows.Length; start += samples.Channels)
        {
            for (int k = 0; k < sum.Length; k++)
            {
                float x = grid.Round(samples.Rows[start + k]);
                sum[k] += x * x;
            }
        }

        Tp.Divide(sum, samples.RowCount, sum);
        return sum;
    }

    private sbyte[] Gptq(QuantizationGrid? input, ActivationSamples samples, float[] scales, int block)
    {
        int rows = _weight.Rows;
        var gram = (float[])samples.Gram.Clone();
        if (CanCorrect)
        {
            // The bias makes up for the mean, so only what varies counts.
            for (int k = 0; k < rows; k++)
            {
                for (int l = 0; l < rows; l++)
                    gram[(k * rows) + l] -= samples.GramMean[k] * samples.GramMean[l];
            }
        }

        double power = 0;
        for (int k = 0; k < rows; k++)
            power += gram[(k * rows) + k] / (double)rows;
        double noise = input is { } grid ? (double)grid.Scale * grid.Scale / 12 : 0;
        var gptq = new Gptq(gram, rows, noise + Math.Max(Damping * power, 1e-12));
        var weight = _weight with { Elements = (float[])_weight.Elements.Clone() };
        if (options.RefitWeights && noise > 0)
            gptq.Refit(weight, noise);
        float[][] scalesOf = ScalesOfInputs(scales, block);
        return gptq.Round(weight, k => scalesOf[block > 0 ? k / block : 0], highest);
    }

    /// <summary>The scales of all output channels, for each block of inputs.</summary>
    private float[][] ScalesOfInputs(float[] scales, int block)
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

    private sbyte[] Nearest(float[] scales, int block)
    {
        var codes = new sbyte[_weight.Elements.Length];
        float[][] scalesOf = ScalesOfInputs(scales, block);
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
    private double[] LostMean(sbyte[] codes, float[] scales, int block, IReadOnlyList<double> mean)
    {
        float[][] scalesOf = ScalesOfInputs(scales, block);
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
