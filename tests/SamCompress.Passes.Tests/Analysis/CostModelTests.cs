using System.Globalization;
using System.Text.RegularExpressions;
using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Analysis;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Analysis;

public sealed partial class CostModelTests
{
    /// <summary>The published figures. ViT: relative position tables count as they were trained.</summary>
    [Theory]
    [InlineData("sam_b_encoder", 89_670_912, 368.70, 114.88, 2.45)]
    [InlineData("sam_b_encoder_dynamo", 89_670_912, 368.70, 114.88, 2.45)]
    [InlineData("sam_h_encoder", 637_026_048, 2732.30, 240.64, 7.60)]
    public void Vision_transformers_cost_what_is_published(string name, long parameters, double linear, double attention, double relativePosition) =>
        AssertCost(name, parameters, linear, attention, relativePosition);

    /// <summary>
    /// 5,743,892 trained without the unused head, minus one number for each channel of the 29 convolutions that a batch normalization was folded into:
    /// stem 32 + 64, MBConv 2 x (256 + 256 + 64), merges 3 x 128, 3 x 160, 3 x 320, local 2 x 128 + 6 x 160 + 2 x 320 = 4928. The neck has none.
    /// </summary>
    [Fact]
    public void TinyVit_costs_what_is_published_less_the_folded_normalizations() =>
        AssertCost("mobilesam_encoder", 5_743_892 - 4_928, 36.17, 2.60, 0);

    /// <summary>30,728,224 trained, minus one number for each of the 11,488 channels of convolutions that a batch normalization was folded into.</summary>
    [Fact]
    public void EfficientVit_costs_what_is_published_less_the_folded_normalizations() =>
        AssertCost("efficientvit_sam_l0_encoder", 30_728_224 - 11_488, 34.71, 0.07, 0);

    [Fact]
    public void Convolution_multiplies_each_output_with_one_filter()
    {
        ModelCost cost = Measure("""
            agraph (float[1,4,8,8] x) => (y) <float[6,2,3,3] w, float[6] b> {
                y = Conv<group = 2, pads = [1,1,1,1]>(x, w, b)
            }
            """);

        Assert.Equal(6 * 8 * 8 * 2 * 3 * 3, cost.Macs.Linear);
        Assert.Equal((6 * 2 * 3 * 3) + 6, cost.Parameters);
    }

    [Fact]
    public void Transposed_convolution_multiplies_each_input_with_one_filter()
    {
        ModelCost cost = Measure("""
            agraph (float[1,4,8,8] x) => (y) <float[4,3,2,2] w> {
                y = ConvTranspose<strides = [2,2]>(x, w)
            }
            """);

        Assert.Equal(4 * 8 * 8 * 3 * 2 * 2, cost.Macs.Linear);
    }

    [Fact]
    public void Product_of_two_activations_is_attention()
    {
        ModelCost cost = Measure("""
            agraph (float[2,5,4] q, float[2,4,7] k) => (y) {
                y = MatMul(q, k)
            }
            """);

        Assert.Equal(new MacCounts(0, 2 * 5 * 7 * 4, 0), cost.Macs);
    }

    [Fact]
    public void Product_with_a_table_added_to_logits_is_relative_position()
    {
        ModelCost cost = Measure("""
            agraph (float[2,3,3,4] q, float[2,3,3,3] logits) => (y) <float[3,3,4] table> {
                rel = Einsum<equation = "bhwc,hkc->bhwk">(q, table)
                sum = Add(logits, rel)
                y = Softmax(sum)
            }
            """);

        Assert.Equal(new MacCounts(0, 0, 2 * 3 * 3 * 4 * 3), cost.Macs);
        Assert.Equal(((2 * 3) - 1) * 4, cost.Parameters);
    }

    [Fact]
    public void Product_with_a_table_that_feeds_no_softmax_is_linear()
    {
        ModelCost cost = Measure("""
            agraph (float[2,3,3,4] q, float[2,3,3,3] logits) => (y) <float[3,3,4] table> {
                rel = Einsum<equation = "bhwc,hkc->bhwk">(q, table)
                y = Add(logits, rel)
            }
            """);

        Assert.Equal(new MacCounts(2 * 3 * 3 * 4 * 3, 0, 0), cost.Macs);
        Assert.Equal(3 * 3 * 4, cost.Parameters);
    }

    [Fact]
    public void Unused_and_scalar_tensors_are_no_parameters()
    {
        ModelCost cost = Measure("""
            agraph (float[4] x) => (y) <float[9] unused, float scale = {2}> {
                y = Mul(x, scale)
            }
            """);

        Assert.Equal(0, cost.Parameters);
    }

    [Fact]
    public void A_shared_weight_counts_once_and_works_twice()
    {
        ModelCost cost = Measure("""
            agraph (float[3,4] x) => (y) <float[4,4] w> {
                h = MatMul(x, w)
                y = MatMul(h, w)
            }
            """);

        Assert.Equal(16, cost.Parameters);
        Assert.Equal(2 * 3 * 4 * 4, cost.Macs.Linear);
    }

    [Fact]
    public void What_has_no_shape_is_named_and_not_guessed()
    {
        ModelCost cost = Measure("""
            agraph (float[n,4] x) => (y) <float[4,4] w> {
                y = MatMul(x, w)
            }
            """);

        Assert.Equal(0, cost.Macs.Total);
        Assert.Single(cost.Uncounted);
    }

    [Fact]
    public void Activations_are_freed_after_their_last_use_and_views_cost_nothing()
    {
        // x and a are alive while a is made (800 bytes), a and b while b is made (800); the view of b adds nothing.
        ModelCost cost = Measure("""
            agraph (float[100] x) => (y) <int64[2] shape = {10, 10}> {
                a = Exp(x)
                b = Exp(a)
                v = Reshape(b, shape)
                y = Exp(v)
            }
            """);

        Assert.Equal(800, cost.PeakActivationBytes);
    }

    private static void AssertCost(string name, long parameters, double linear, double attention, double relativePosition)
    {
        using Model model = OnnxReader.Read(SkeletonModels.SkeletonPath(name), new ReadOptions { AllowMissingData = true });
        ShapeInference.Infer(model);
        ModelCost cost = CostModel.Measure(model);

        Assert.Empty(cost.Uncounted);
        Assert.Equal(parameters, cost.Parameters);
        Assert.Equal(linear, Math.Round(cost.Macs.Linear / 1e9, 2));
        Assert.Equal(attention, Math.Round(cost.Macs.Attention / 1e9, 2));
        Assert.Equal(relativePosition, Math.Round(cost.Macs.RelativePosition / 1e9, 2));
    }

    /// <summary>Gives every initializer that is declared without data as many zeros as it needs.</summary>
    private static ModelCost Measure(string text)
    {
        text = Declaration().Replace(text, match =>
        {
            long count = match.Groups["dims"].Value.Split(',').Aggregate(1L, (product, d) => product * long.Parse(d, CultureInfo.InvariantCulture));
            return $"{match.Value} = {{{string.Join(", ", Enumerable.Repeat("0", (int)count))}}}";
        });
        using Model model = ModelText.Parse(text, opset: 17);
        ShapeInference.Infer(model);
        return CostModel.Measure(model);
    }

    [GeneratedRegex(@"(?<=[<,] ?)float\[(?<dims>[\d,]+)\] \w+(?=[,>])")]
    private static partial Regex Declaration();
}
