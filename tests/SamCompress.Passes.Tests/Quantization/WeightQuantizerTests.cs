using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class WeightQuantizerTests
{
    private static readonly float[] Weight = [1, -1, 0, 0.25f, 4, 0];

    [Fact]
    public void Each_column_of_a_linear_weight_has_its_scale_and_zeros_have_scale_one()
    {
        var layout = ChannelLayout.Of([2, 3], 1);
        float[] max = WeightQuantizer.AbsoluteMax(Weight, layout);
        Assert.Equal([1, 4, 0], max);
        float[] scales = WeightQuantizer.Scales(max, 127);
        Assert.Equal([1f / 127, 4f / 127, 1], scales);
        var quantized = new sbyte[6];
        WeightQuantizer.Quantize(Weight, layout, scales, 127, quantized);

        // 0.25 * 127 = 31.75 and -1 * 127 / 4 = -31.75
        Assert.Equal(new sbyte[] { 127, -32, 0, 32, 127, 0 }, quantized);
    }

    [Fact]
    public void Each_filter_of_a_convolution_has_its_scale()
    {
        var layout = ChannelLayout.Of([2, 1, 1, 3], 0);
        float[] max = WeightQuantizer.AbsoluteMax(Weight, layout);
        Assert.Equal([1, 4], max);
        var quantized = new sbyte[6];
        WeightQuantizer.Quantize(Weight, layout, WeightQuantizer.Scales(max, 127), 127, quantized);
        Assert.Equal(new sbyte[] { 127, -127, 0, 8, 127, 0 }, quantized);
    }

    [Fact]
    public void Transposed_convolution_has_its_output_channels_on_axis_one()
    {
        var layout = ChannelLayout.Of([2, 3, 1, 1], 1);
        Assert.Equal(new ChannelLayout(2, 3, 1), layout);
        Assert.Equal([1, 4, 0], WeightQuantizer.AbsoluteMax(Weight, layout));
        Assert.Equal([4, 2], WeightQuantizer.AbsoluteMax([1, -4, 0, 0, 0.5f, 1, 2, 0], ChannelLayout.Of([2, 2, 1, 2], 1)));
    }

    [Fact]
    public void Narrower_integers_saturate_at_their_own_bound()
    {
        var quantized = new sbyte[6];
        WeightQuantizer.Quantize(Weight, ChannelLayout.Of([2, 3], 1), [0.01f, 0.01f, 1], 31, quantized);
        Assert.Equal(new sbyte[] { 31, -31, 0, 25, 31, 0 }, quantized);
    }

    [Fact]
    public void Not_a_number_shows_in_its_channel() =>
        Assert.Equal([1, float.NaN, 0], WeightQuantizer.AbsoluteMax([1, float.NaN, 0, 0.25f, 4, 0], ChannelLayout.Of([2, 3], 1)));

    [Fact]
    public void Lazy_tensor_has_the_bytes_and_can_transpose()
    {
        Tensor weight = Tensor.Of(Weight, 2, 3);
        Tensor plain = WeightQuantizer.Lazy(weight, 1, [1f / 127, 4f / 127, 1], 127, transpose: false);
        Assert.Equal(new sbyte[] { 127, -32, 0, 32, 127, 0 }, plain.ToArray<sbyte>());

        Tensor transposed = WeightQuantizer.Lazy(weight, 0, [1f / 127, 4f / 127], 127, transpose: true);
        Assert.Equal("int8[3,2]", transposed.ToString());
        Assert.Equal(new sbyte[] { 127, 8, -127, 127, 0, 0 }, transposed.ToArray<sbyte>());
    }
}
