using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Runtime.Inference;
using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Runtime.Observers;

/// <summary>Gathers what is seen of one value, picture after picture, in memory of fixed size.</summary>
internal sealed class ValueObserver
{
    /// <summary>The most elements of rows that are kept over all pictures.</summary>
    public const int KeptElements = 1 << 19;

    private readonly ObservedValue _observed;
    private readonly ValueHistogram _histogram = new();
    private readonly float[] _min;
    private readonly float[] _max;
    private readonly double[] _sum;
    private readonly double[] _sumOfSquares;
    private readonly float[] _moments;
    private readonly float[] _momentSum;
    private readonly List<float[]> _kept = [];
    private long _keptStep = 1;
    private long _momentRows;
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
        _sumOfSquares = new double[observed.Channels];
        _moments = observed.Detail == ObservationDetail.SecondMoments ? new float[observed.Channels * observed.Channels] : [];
        _momentSum = observed.Detail == ObservationDetail.SecondMoments ? new float[observed.Channels] : [];
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
        AddSums(rows, _observed.ChannelAxis == -1 ? 1 : (int)sampled.Dimensions[0]);
    }

    /// <summary>Adds the sums of x x^T and of x over some rows.</summary>
    public void AddMoments(ReadOnlySpan<float> moments, ReadOnlySpan<float> sum, long rows)
    {
        Tp.Add(_moments, moments, _moments);
        Tp.Add(_momentSum, sum, _momentSum);
        _momentRows += rows;
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
            Samples = _observed.Detail == ObservationDetail.Ranges ? null : Samples(),
        };
    }

    private void AddSums(ReadOnlySpan<float> rows, int batch)
    {
        int channels = _sum.Length;
        int positions = rows.Length / channels / batch;
        for (int i = 0; i < batch; i++)
        {
            ReadOnlySpan<float> block = rows.Slice(i * channels * positions, channels * positions);
            if (_observed.ChannelAxis == -1)
            {
                AddRows(block);
                continue;
            }

            // Channels lie on axis 1: [channels, positions] becomes rows of all channels.
            var transposed = new float[block.Length];
            for (int c = 0; c < channels; c++)
            {
                for (int p = 0; p < positions; p++)
                    transposed[(p * channels) + c] = block[(c * positions) + p];
            }

            AddRows(transposed);
        }
    }

    private void AddRows(ReadOnlySpan<float> rows)
    {
        int channels = _sum.Length;
        for (int start = 0; start < rows.Length; start += channels, _rows++)
        {
            ReadOnlySpan<float> row = rows.Slice(start, channels);
            for (int c = 0; c < row.Length; c++)
            {
                _sum[c] += row[c];
                _sumOfSquares[c] += (double)row[c] * row[c];
            }

            if (_observed.Detail != ObservationDetail.Ranges && _rows % _keptStep == 0)
                Keep(row);
        }
    }

    /// <summary>Keeps a row; once there are too many, every second one goes, and from then on every second one is kept.</summary>
    private void Keep(ReadOnlySpan<float> row)
    {
        _kept.Add(row.ToArray());
        if ((long)_kept.Count * row.Length <= KeptElements)
            return;
        for (int i = 0; (2 * i) < _kept.Count; i++)
            _kept[i] = _kept[2 * i];
        _kept.RemoveRange((_kept.Count + 1) / 2, _kept.Count / 2);
        _keptStep *= 2;
    }

    private ActivationSamples Samples()
    {
        int channels = _sum.Length;
        var meanSquare = new float[channels];
        for (int c = 0; c < channels; c++)
            meanSquare[c] = _rows == 0 ? 0 : (float)(_sumOfSquares[c] / _rows);
        if (_momentRows > 0)
        {
            Tp.Divide(_moments, _momentRows, _moments);
            Tp.Divide(_momentSum, _momentRows, _momentSum);
        }

        return new ActivationSamples(channels, [.. _kept.SelectMany(r => r)], meanSquare, _moments, _momentSum);
    }
}
