using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;
using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Runtime.Observers;

/// <summary>Gathers what is seen of one value, picture after picture, in memory of fixed size.</summary>
internal sealed class ValueObserver
{
    private readonly ObservedValue _observed;
    private readonly ValueHistogram _histogram = new();
    private readonly float[] _min;
    private readonly float[] _max;
    private readonly double[] _sum;
    private long _rows;
    private double _sumOfMin;
    private double _sumOfMinSquares;
    private double _sumOfMax;
    private double _sumOfMaxSquares;

    public ValueObserver(ObservedValue observed)
    {
        _observed = observed;
        _min = new float[observed.Channels];
        _max = new float[observed.Channels];
        _sum = new double[observed.Channels];
        Array.Fill(_min, float.PositiveInfinity);
        Array.Fill(_max, float.NegativeInfinity);
    }

    /// <param name="min">Of each channel.</param>
    /// <param name="max">Of each channel.</param>
    /// <param name="sampled">See <see cref="ObservedOutputs.Rows"/>.</param>
    /// <exception cref="SamCompressException">A value is not finite.</exception>
    public void Add(ReadOnlySpan<float> min, ReadOnlySpan<float> max, RuntimeTensor sampled, string picture)
    {
        ReadOnlySpan<float> rows = sampled.As<float>();
        float lowest = Tp.Min(min), highest = Tp.Max(max);
        if (!float.IsFinite(lowest) || !float.IsFinite(highest) || (rows.Length > 0 && !float.IsFinite(Tp.MaxMagnitude(rows))))
        {
            throw new SamCompressException(FailureKind.InputRejected, $"'{_observed.Name}' is not finite on {picture}", "leave the picture out, or repair the model")
            {
                Location = picture,
            };
        }

        Tp.Min(_min, min, _min);
        Tp.Max(_max, max, _max);
        _sumOfMin += lowest;
        _sumOfMinSquares += (double)lowest * lowest;
        _sumOfMax += highest;
        _sumOfMaxSquares += (double)highest * highest;
        _histogram.Add(rows);
        AddMeans(rows, _observed.ChannelAxis == -1 ? 1 : (int)sampled.Dimensions[0]);
    }

    public ValueStatistics Result(int pictures)
    {
        var mean = new double[_sum.Length];
        for (int i = 0; i < mean.Length; i++)
            mean[i] = _rows == 0 ? 0 : _sum[i] / _rows;
        return new ValueStatistics
        {
            Name = _observed.Name,
            ChannelAxis = _observed.ChannelAxis,
            ChannelMin = _min,
            ChannelMax = _max,
            ChannelMean = mean,
            PictureMin = new Moments(_sumOfMin / pictures, _sumOfMinSquares / pictures),
            PictureMax = new Moments(_sumOfMax / pictures, _sumOfMaxSquares / pictures),
            Histogram = _histogram,
        };
    }

    private void AddMeans(ReadOnlySpan<float> rows, int batch)
    {
        int channels = _sum.Length;
        int positions = rows.Length / channels / batch;
        if (_observed.ChannelAxis == -1)
        {
            for (int start = 0; start < rows.Length; start += channels)
            {
                ReadOnlySpan<float> row = rows.Slice(start, channels);
                for (int c = 0; c < row.Length; c++)
                    _sum[c] += row[c];
            }
        }
        else
        {
            for (int i = 0; i < batch * channels; i++)
            {
                double sum = 0;
                foreach (float value in rows.Slice(i * positions, positions))
                    sum += value;
                _sum[i % channels] += sum;
            }
        }

        _rows += positions * batch;
    }
}
