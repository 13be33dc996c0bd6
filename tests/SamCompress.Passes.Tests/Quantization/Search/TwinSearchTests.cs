using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;

namespace SamCompress.Passes.Tests.Quantization.Search;

public sealed class TwinSearchTests
{
    /// <summary>The least value of the exact Gelu is -0.16997124 (algorithms.md, 2.1); at 8 bits its step is that over 128, at 6 bits over 32.</summary>
    [Theory]
    [InlineData(8, 128)]
    [InlineData(6, 32)]
    public void The_negative_side_of_a_gelu_has_the_step_of_the_paper(int bits, int half)
    {
        (QuantizationGrid above, TwinRange twin) = TwinSearch.Gelu(Seen([-0.1699f, -0.05f, 0, 1, 2, 4], 0.1699f), [1], SearchMetric.Mse, bits);

        Assert.Equal(0.16997124f / half, twin.Below.Scale, 1e-9f);
        Assert.Equal(0, twin.Threshold);
        Assert.Equal((0, half), (twin.Below.Lowest, twin.Below.Highest));
        Assert.Equal(-0.16997124f, twin.Below.Min, 1e-7f);
        Assert.Equal(0, twin.Below.Max);
        Assert.Equal((0, 0, half - 1), (above.ZeroPoint, above.Lowest, above.Highest));
    }

    [Fact]
    public void The_two_parts_of_a_gelu_add_up_to_the_value_within_half_a_step()
    {
        float[] values = [-0.1699f, -0.12f, -0.001f, 0, 0.5f, 3.999f];
        (QuantizationGrid above, TwinRange twin) = TwinSearch.Gelu(Seen(values, 0.1699f), [1], SearchMetric.Mse, 8);
        foreach (float x in values)
        {
            float rounded = twin.Below.Round(x) + above.Round(x - twin.Threshold);
            Assert.InRange(Math.Abs(rounded - x), 0, ((x < 0 ? twin.Below.Scale : above.Scale) / 2) + 1e-6f);
        }
    }

    [Theory]
    [InlineData(-0.1699f, 5, true)]
    [InlineData(-0.3f, 5, false)] // a Gelu goes no lower
    [InlineData(0, 5, false)] // a Relu
    [InlineData(-0.1699f, 0.1f, false)] // nothing that needs two ranges
    public void A_gelu_is_told_by_what_was_seen(float min, float max, bool expected) => Assert.Equal(expected, TwinSearch.IsGelu(Seen([min, max], -min)));

    /// <summary>Probabilities of 1/4096 and 1: the fine range ends at 2^-12, so that its 127 steps are spent on what is small.</summary>
    [Fact]
    public void The_threshold_of_a_softmax_lies_where_the_error_is_least()
    {
        const float small = 1f / 4096;
        float[] values = [.. Enumerable.Repeat(small, 4000), 1, 1];
        (QuantizationGrid above, TwinRange twin) = TwinSearch.Softmax(Seen(values, 0), 8);

        Assert.Equal(1f / 127, above.Scale, 1e-9f);
        Assert.Equal(twin.Threshold / 127, twin.Below.Scale, 1e-12f);
        float error = Math.Abs(twin.Below.Round(small) + (small > twin.Threshold ? above.Round(small - twin.Threshold) : 0) - small);
        Assert.InRange(error, 0, small / 127);
        Assert.Equal(0, Math.Log2(twin.Threshold) % 1);
    }

    private static ValueStatistics Seen(float[] values, float depth)
    {
        var histogram = new ValueHistogram();
        histogram.Add(values);
        return new ValueStatistics
        {
            Name = "x",
            ChannelAxis = -1,
            ChannelMin = [Math.Min(values.Min(), -depth)],
            ChannelMax = [values.Max()],
            ChannelMean = [values.Average()],
            PictureMin = new Moments(0, 0),
            PictureMax = new Moments(0, 0),
            Histogram = histogram,
            Samples = new ActivationSamples(1, values, [1], [], []),
        };
    }
}
