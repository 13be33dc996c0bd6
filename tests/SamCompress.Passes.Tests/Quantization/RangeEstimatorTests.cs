using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class RangeEstimatorTests
{
    [Fact]
    public void MinMax_takes_the_exact_extremes_and_zero()
    {
        Assert.Equal(new ValueRange(-3, 7), new MinMaxEstimator().Estimate(Statistics([1, 2], -3, 7), 256));
        Assert.Equal(new ValueRange(0, 7), new MinMaxEstimator().Estimate(Statistics([1, 2], 3, 7), 256));
    }

    [Fact]
    public void Percentile_clips_half_of_the_rest_at_each_end()
    {
        // -5000 .. 4999 in bins of width 2: 1 % is 100 values, 50 at each end.
        float[] values = [.. Enumerable.Range(-5000, 10000).Select(i => (float)i)];
        ValueRange range = new PercentileEstimator(99).Estimate(Statistics(values, -5000, 4999), 256);
        Assert.Equal(-4950, range.Min, 2.0);
        Assert.Equal(4950, range.Max, 2.0);
        Assert.Equal(new ValueRange(-5000, 4999), new PercentileEstimator(100).Estimate(Statistics(values, -5000, 4999), 256));
    }

    [Fact]
    public void Percentile_of_mostly_zeros_is_zero()
    {
        float[] values = [.. Enumerable.Repeat(0f, 999), 5f];
        Assert.Equal(new ValueRange(0, 0), new PercentileEstimator(99).Estimate(Statistics(values, 0, 5), 256));
    }

    [Theory]
    [InlineData(50)]
    [InlineData(100.1)]
    [InlineData(double.NaN)]
    public void Percentile_out_of_bounds_is_refused(double percentile) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PercentileEstimator(percentile));

    [Fact]
    public void Mse_keeps_the_whole_range_when_all_values_are_on_the_grid()
    {
        float[] values = [.. Enumerable.Range(0, 256).Select(i => i / 4f)];
        Assert.Equal(new ValueRange(0, 63.75f), new MseEstimator().Estimate(Statistics(values, 0, 63.75f), 256));
    }

    [Fact]
    public void Mse_clips_an_outlier_when_the_finer_grid_gains_more()
    {
        // 10,000 values spread over [0, 100) and one at 1000. Clipping to h costs (1000 - h)^2 and gains by 10,000 h^2 / 255^2 / 12:
        // the sum is smallest at h = 1000 / (1 + 10,000 / 255^2 / 12) = 987.
        float[] values = [.. Enumerable.Range(0, 10000).Select(i => i / 100f), 1000];
        Assert.Equal(990, new MseEstimator().Estimate(Statistics(values, 0, 1000), 256).Max, 10.0);

        // With 10 million of them at h = 70: it pays to clip even into the values, by less than that alone would say.
        ValueHistogram histogram = Histogram(values);
        ValueHistogram heavy = ValueHistogram.Restore(
            histogram.WidthExponent, histogram.FirstBin, [.. histogram.Counts.ToArray().Select((c, i) => i < 4000 ? c * 1000 : c)], 0);
        Assert.Equal(100, new MseEstimator().Estimate(Statistics(heavy, 0, 1000), 256).Max, 10.0);
    }

    [Fact]
    public void Squared_error_is_that_of_the_values_themselves()
    {
        var random = new Random(3);
        float[] values = [.. Enumerable.Range(0, 20000).Select(_ => (float)((random.NextDouble() + random.NextDouble() - 1) * 4))];
        QuantizationGrid grid = QuantizationGrid.Affine(-2, 3, 0, 255);
        double expected = values.Sum(v => Math.Pow(v - grid.Round(v), 2));
        Assert.Equal(expected, MseEstimator.SquaredError(Histogram(values), grid), expected * 0.01);
    }

    [Fact]
    public void Divergence_is_that_of_the_groups_spread_evenly()
    {
        ValueHistogram histogram = ValueHistogram.Restore(0, 0, [1, 3, 2, 2], 0);
        double expected = ((1 / 8.0) * Math.Log(1 / 2.0)) + ((3 / 8.0) * Math.Log(3 / 2.0));
        Assert.Equal(expected, EntropyEstimator.Divergence(histogram, 0, 4, 2), 12);
    }

    [Fact]
    public void Divergence_counts_what_is_clipped_in_the_outermost_bin()
    {
        // Clipped to the first two bins, one level each: (1, 3 + 4) / 8 against (1, 3) / 4.
        ValueHistogram histogram = ValueHistogram.Restore(0, 0, [1, 3, 2, 2], 0);
        double expected = ((1 / 8.0) * Math.Log((1 / 8.0) / (1 / 4.0))) + ((7 / 8.0) * Math.Log((7 / 8.0) / (3 / 4.0)));
        Assert.Equal(expected, EntropyEstimator.Divergence(histogram, 0, 2, 2), 12);
    }

    [Fact]
    public void Entropy_clips_a_long_thin_tail()
    {
        var random = new Random(5);
        float[] values = [.. Enumerable.Range(0, 200000).Select(_ => (float)Normal(random)), 40, -40];
        ValueRange range = new EntropyEstimator().Estimate(Statistics(values, -40, 40), 256);
        Assert.InRange(range.Max, 2.5, 10);
        Assert.InRange(-range.Min, 2.5, 10);
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static ValueHistogram Histogram(float[] values)
    {
        var histogram = new ValueHistogram();
        histogram.Add(values);
        return histogram;
    }

    private static ValueStatistics Statistics(float[] values, float min, float max) => Statistics(Histogram(values), min, max);

    private static ValueStatistics Statistics(ValueHistogram histogram, float min, float max) => new()
    {
        Name = "x",
        ChannelAxis = -1,
        ChannelMin = [min],
        ChannelMax = [max],
        ChannelMean = [0],
        PictureMin = new Moments(min, min * min),
        PictureMax = new Moments(max, max * max),
        Histogram = histogram,
    };
}
