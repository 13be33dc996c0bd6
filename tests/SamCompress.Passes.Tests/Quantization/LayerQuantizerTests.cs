using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class LayerQuantizerTests
{
    private static readonly QuantizationOptions Plain = new() { Metric = SearchMetric.MinMax, CorrectBias = false, RefitWeights = false };

    /// <summary>Squares of the weights that read each input channel.</summary>
    [Theory]
    [InlineData("float[1,2,2,2] X", "float[2,2,1,2] W = {1, 2, 3, 4, 5, 6, 7, 8}", "Conv", new float[] { 1 + 4 + 25 + 36, 9 + 16 + 49 + 64 })]
    [InlineData("float[1,2,2,2] X", "float[4,1,1,2] W = {1, 2, 3, 4, 5, 6, 7, 8}", "Conv <group = 2>", new float[] { 1 + 4 + 9 + 16, 25 + 36 + 49 + 64 })]
    [InlineData("float[1,4,2,2] X", "float[2,2,1,1] W = {1, 2, 3, 4}", "Conv <group = 2>", new float[] { 1, 4, 9, 16 })]
    [InlineData("float[1,2,2,2] X", "float[2,1,1,2] W = {1, 2, 3, 4}", "Conv <group = 2>", new float[] { 1 + 4, 9 + 16 })]
    [InlineData("float[1,2,2,2] X", "float[2,2,1,2] W = {1, 2, 3, 4, 5, 6, 7, 8}", "ConvTranspose", new float[] { 1 + 4 + 9 + 16, 25 + 36 + 49 + 64 })]
    [InlineData("float[1,2,2,2] X", "float[2,2,1,2] W = {1, 2, 3, 4, 5, 6, 7, 8}", "ConvTranspose <group = 2>", new float[] { 1 + 4 + 9 + 16, 25 + 36 + 49 + 64 })]
    [InlineData("float[1,2] X", "float[2,3] W = {1, 2, 3, 4, 5, 6}", "MatMul", new float[] { 1 + 4 + 9, 16 + 25 + 36 })]
    [InlineData("float[1,2] X", "float[3,2] W = {1, 4, 2, 5, 3, 6}", "Gemm <transB = 1>", new float[] { 1 + 4 + 9, 16 + 25 + 36 })]
    public void Importance_of_an_input_channel_is_the_power_of_its_weights(string input, string weight, string op, float[] expected)
    {
        using Model model = ModelText.Parse($"g ({input}) => (float Y) <{weight}> {{ Y = {op} (X, W) }}", 17);
        Assert.Equal(expected, new LayerQuantizer(Assert.Single(LayerFinder.Find(model.Graph)), Plain).Importance(null));
    }

    [Fact]
    public void Importance_weighs_output_channels_by_their_sensitivity()
    {
        using Model model = ModelText.Parse("g (float[1,2,2,2] X) => (float Y) <float[4,1,1,2] W = {1, 2, 3, 4, 5, 6, 7, 8}> { Y = Conv <group = 2> (X, W) }", 17);
        Assert.Equal([1 + 4, (2 * 61) + 113], new LayerQuantizer(LayerFinder.Find(model.Graph)[0], Plain).Importance([1, 0, 2, 1]));
    }

    /// <summary>Scale 0.01: 0.304 loses 0.004 of an input of mean 10. In blocks of one input nothing is lost.</summary>
    [Theory]
    [InlineData(0, 2.04)]
    [InlineData(1, 2)]
    public void Bias_makes_up_for_the_mean_of_what_rounding_takes_away(int block, double bias)
    {
        using Model model = ModelText.Parse("g (float[1,2] X) => (float[1,1] Y) <float[2,1] W = {1.27, 0.304}, float[1] B = {2}> { P = MatMul (X, W) Y = Add (P, B) }", 17);
        QuantizedWeight weight = new LayerQuantizer(LayerFinder.Find(model.Graph)[0], Plain with { CorrectBias = true }, 127, block).Quantize(null, null, [5, 10]);
        Assert.Equal(bias, Assert.Single(weight.Bias!), 1e-5);
        Assert.Null(weight.Codes);
        Assert.Equal(block == 0 ? [1.27f / 127] : [1.27f / 127, 0.304f / 127], weight.Scales);
    }

    /// <summary>Output channels 0 and 1 read the first input channel, of mean 10, the others the second, of mean 100; each loses 0.004 of one kernel position.</summary>
    [Fact]
    public void Bias_of_a_grouped_convolution_takes_the_means_of_its_group()
    {
        using Model model = ModelText.Parse("""
            g (float[1,2,1,2] X) => (float[1,4,1,1] Y)
            <float[4,1,1,2] W = {1.27, 0.304, 0.304, -1.27, 1.27, 0.304, 0, 1}>
            {
                Y = Conv <group = 2> (X, W)
            }
            """, 17);
        float[] bias = new LayerQuantizer(LayerFinder.Find(model.Graph)[0], Plain with { CorrectBias = true }).Quantize(null, null, [10, 100]).Bias!;
        Assert.Equal(0.04, bias[0], 1e-5);
        Assert.Equal(0.04, bias[1], 1e-5);
        Assert.Equal(0.4, bias[2], 1e-4);
        Assert.Equal(0, bias[3], 1e-4);
    }

    /// <summary>5 in units of 0.5 times the scale shall be 2^30 at most.</summary>
    [Fact]
    public void A_convolution_leaves_room_for_its_bias()
    {
        using Model model = ModelText.Parse("g (float[1,1,1,1] X) => (float[1,2,1,1] Y) <float[2,1,1,1] W = {1e-9, 1}, float[2] B = {5, -5}> { Y = Conv (X, W, B) }", 17);
        var quantizer = new LayerQuantizer(LayerFinder.Find(model.Graph)[0], Plain);
        QuantizedWeight weight = quantizer.Quantize(new QuantizationGrid(0.5f, 0, 0, 255), null, null);
        Assert.Equal(9.3132257e-9, weight.Scales[0], 1e-15);
        Assert.Equal(1f / 127, weight.Scales[1]);
        Assert.Equal([5, -5], weight.Bias!);
        Assert.Equal(1e-9 / 127, quantizer.Quantize(null, null, null).Scales[0], 1e-17);
    }

    /// <summary>As in the tests of GPTQ, with 1 % of the mean power more on the diagonal: 0.3 gets 0.8 / 1.01 of 0.4 and becomes 0.62.</summary>
    [Theory]
    [InlineData("float[3,2] W = {0.4, 1, 0.3, 0, 1, 0}", "", new sbyte[] { 0, 1, 1, 0, 1, 0 })]
    [InlineData("float[2,3] W = {0.4, 0.3, 1, 1, 0, 0}", "<transB = 1>", new sbyte[] { 0, 1, 1, 1, 0, 0 })]
    public void Codes_are_those_of_gptq_in_the_order_of_the_stored_weight(string weight, string transposed, sbyte[] expected)
    {
        using Model model = ModelText.Parse($"g (float[1,3] X) => (float[1,2] Y) <{weight}> {{ Y = Gemm {transposed} (X, W) }}", 17);
        QuantizedWeight found = Gptq(model, Plain, Samples([1, 0.8f, 0, 0.8f, 1, 0, 0, 0, 1], [0, 0, 0]));
        Assert.Equal([1, 1], found.Scales);
        Assert.Equal(expected, found.Codes!);
    }

    /// <summary>
    /// The moments are those of a mean (1, 1, 0) and of independent deviations. Where the bias makes up for the mean nothing is handed on; else 0.3 gets
    /// 1 / 1.51 of 0.4 and becomes 0.56.
    /// </summary>
    [Theory]
    [InlineData(true, new sbyte[] { 0, 0, 1 })]
    [InlineData(false, new sbyte[] { 0, 1, 1 })]
    public void What_the_bias_makes_up_for_is_no_loss(bool correctBias, sbyte[] expected)
    {
        using Model model = ModelText.Parse("g (float[1,3] X) => (float[1,1] Y) <float[3,1] W = {0.4, 0.3, 1}> { Y = MatMul (X, W) }", 17);
        QuantizedWeight found = Gptq(model, Plain with { CorrectBias = correctBias }, Samples([1.5f, 1, 0, 1, 1.5f, 0, 0, 0, 1], [1, 1, 0]));
        Assert.Equal(expected, found.Codes!);
        Assert.Equal(correctBias ? [0.7f] : null, found.Bias?.Select(b => MathF.Round(b, 5)));
    }

    [Fact]
    public void Without_second_moments_weights_are_rounded_to_the_nearest()
    {
        using Model model = ModelText.Parse("g (float[1,3] X) => (float[1,1] Y) <float[3,1] W = {0.4, 0.3, 1}> { Y = MatMul (X, W) }", 17);
        Assert.Null(Gptq(model, Plain, Samples([], [])).Codes);
        Assert.Null(Gptq(model, Plain, null).Codes);
    }

    private static QuantizedWeight Gptq(Model model, QuantizationOptions options, ActivationSamples? samples) =>
        new LayerQuantizer(LayerFinder.Find(model.Graph)[0], options with { Rounding = WeightRounding.Gptq }, highest: 1).Quantize(null, samples, [1, 1, 0]);

    private static ActivationSamples Samples(float[] gram, float[] mean) => new(3, [1, 1, 1], [1, 1, 1], gram, mean);
}
