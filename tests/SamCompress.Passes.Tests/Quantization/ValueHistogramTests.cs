using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class ValueHistogramTests
{
    [Fact]
    public void Width_is_the_smallest_power_of_two_that_covers_the_range()
    {
        var histogram = new ValueHistogram();
        histogram.Add([-1f, 0f, 0.3f, 0.99f]);

        // [-1, 0.99] in at most 8192 bins: 2^-12 needs 4096 + 4056 bins, 2^-13 twice as many.
        Assert.Equal(-12, histogram.WidthExponent);
        Assert.Equal(-4096, histogram.FirstBin);
        Assert.Equal(4096 + 4056, histogram.Counts.Length);
        Assert.Equal(1, histogram.ZeroCount);
        Assert.Equal(1, histogram.Counts[0]);
        Assert.Equal(1, histogram.Counts[4096 + 1228]);
        Assert.Equal(4, histogram.Total);
    }

    [Fact]
    public void Does_not_depend_on_the_order_of_the_values()
    {
        var random = new Random(7);
        float[] values = [.. Enumerable.Range(0, 5000).Select(_ => (float)(Math.Pow(random.NextDouble() - 0.4, 5) * 300))];
        var whole = new ValueHistogram();
        whole.Add(values);
        var parts = new ValueHistogram();
        foreach (float[] part in values.OrderBy(MathF.Abs).Chunk(77))
            parts.Add(part);

        Assert.Equal(whole.WidthExponent, parts.WidthExponent);
        Assert.Equal(whole.FirstBin, parts.FirstBin);
        Assert.Equal(whole.ZeroCount, parts.ZeroCount);
        Assert.Equal(whole.Counts.ToArray(), parts.Counts.ToArray());
    }

    [Fact]
    public void Doubling_the_width_keeps_every_value_in_its_bin()
    {
        var histogram = new ValueHistogram();
        histogram.Add([0.3f, -0.3f]);
        histogram.Add([1000f]);

        // 1000 / 8192 needs a width of 1/8: 0.3 is in bin 2, -0.3 in bin -3, 1000 in bin 8000.
        Assert.Equal(-3, histogram.WidthExponent);
        Assert.Equal(-3, histogram.FirstBin);
        Assert.Equal(1, histogram.Counts[0]);
        Assert.Equal(1, histogram.Counts[5]);
        Assert.Equal(1, histogram.Counts[8003]);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Refuses_values_that_are_not_finite(float value) =>
        Assert.Throws<ArgumentException>(() => new ValueHistogram().Add([1, value]));

    [Fact]
    public void Tiny_and_constant_values_need_no_special_care()
    {
        var histogram = new ValueHistogram();
        histogram.Add([1e-42f, 0, 0]);
        Assert.Equal(3, histogram.Total);
        histogram.Add([5f, 5f]);
        Assert.Equal(5, histogram.Total);
        Assert.Equal(2, histogram.Counts[^1]);
    }
}
