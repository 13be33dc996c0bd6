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

    /// <summary>Clean-up moves tables and folds shapes; it changes nothing of what is trained or multiplied.</summary>
    [Theory]
    [InlineData("sam_b_encoder")]
    [InlineData("sam_b_encoder_dynamo")]
    [InlineData("mobilesam_encoder")]
    public void Clean_up_changes_no_operations(string name)
    {
        using Model model = SkeletonModels.Open(name);
        ShapeInference.Infer(model);
        ModelCost before = CostModel.Measure(model);

        new PassPipeline(StandardPipeline.Cleanup).Run(model, PassCheck.Context());
        ModelCost after = CostModel.Measure(model);

        Assert.Equal(before.Macs, after.Macs);
        Assert.Equal(before.Parameters, after.Parameters);
        Assert.Equal(before.LargestTensor?.Bytes, after.LargestTensor?.Bytes);
        Assert.True(after.MovedBytes <= before.MovedBytes);
    }

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
    public void A_table_whose_product_becomes_columns_of_a_query_is_relative_position()
    {
        // [query | position] times [key | one-hot]: the wider product is attention, as it runs.
        ModelCost cost = Measure("""
            agraph (float[2,3,1,4] q, float[2,9,4] k) => (y) <float[3,4,3] table, float[2,9,3] onehot, int64[3] flat = {2, 3, 4}, int64[3] columns = {2, 3, 3}> {
                rel = MatMul(q, table)
                columnsOfPosition = Reshape(rel, columns)
                query = Reshape(q, flat)
                wide = Concat<axis = 2>(query, columnsOfPosition)
                key = Concat<axis = 2>(k, onehot)
                keys = Transpose<perm = [0,2,1]>(key)
                logits = MatMul(wide, keys)
                y = Softmax(logits)
            }
            """);

        Assert.Equal(new MacCounts(0, 2 * 3 * 9 * (4 + 3), 2 * 3 * 4 * 3), cost.Macs);
        Assert.Equal((((2 * 3) - 1) * 4) + (2 * 9 * 3), cost.Parameters);
    }

    [Fact]
    public void A_table_whose_product_stands_beside_no_query_is_linear()
    {
        ModelCost cost = Measure("""
            agraph (float[2,3,1,4] q) => (y) <float[3,4,3] table> {
                rel = MatMul(q, table)
                y = Concat<axis = 3>(q, rel)
            }
            """);

        Assert.Equal(new MacCounts(2 * 3 * 4 * 3, 0, 0), cost.Macs);
    }

    [Fact]
    public void A_weight_that_is_the_same_for_the_whole_batch_is_no_table()
    {
        ModelCost cost = Measure("""
            agraph (float[2,3,4] q, float[2,3,3] logits) => (y) <float[1,4,3] weight> {
                bias = MatMul(q, weight)
                sum = Add(logits, bias)
                y = Softmax(sum)
            }
            """);

        Assert.Equal(new MacCounts(2 * 3 * 4 * 3, 0, 0), cost.Macs);
        Assert.Equal(4 * 3, cost.Parameters);
    }

    [Theory]
    [InlineData("float[2,5,12] q, float[2,7,12] k, float[2,7,6] v", 2 * 5 * 7 * (12 + 6))]
    [InlineData("float[2,5,12] q, float[2,3,7,4] k, float[2,3,7,2] v", 2 * 5 * 7 * (12 + 6))]
    public void Fused_attention_multiplies_every_query_with_every_key_and_value(string inputs, long macs)
    {
        ModelCost cost = Measure($$"""
            agraph ({{inputs}}) => (y) {
                y = com.microsoft.MultiHeadAttention<num_heads = 3>(q, k, v)
            }
            """);

        Assert.Equal(new MacCounts(0, macs, 0), cost.Macs);
        Assert.Equal(2 * 5 * 6 * 4, cost.ActivationBytes);
    }

    [Fact]
    public void Fused_attention_of_a_packed_input_is_named_and_not_guessed()
    {
        ModelCost cost = Measure("""
            agraph (float[2,5,3,3,4] qkv) => (y) {
                y = com.microsoft.MultiHeadAttention<num_heads = 3>(qkv)
            }
            """);

        Assert.Equal(0, cost.Macs.Total);
        Assert.Single(cost.Uncounted);
    }

    [Fact]
    public void Fused_product_may_transpose_an_operand()
    {
        ModelCost cost = Measure("""
            agraph (float[2,4,5] k, float[2,4,7] v) => (y) {
                y = com.microsoft.FusedMatMul<transA = 1>(k, v)
            }
            """);

        Assert.Equal(new MacCounts(0, 2 * 5 * 4 * 7, 0), cost.Macs);
    }

    [Fact]
    public void Fused_activations_and_normalizations_multiply_nothing_and_move_bytes()
    {
        ModelCost cost = Measure("""
            agraph (float[3,4] x, float[3,4] skip) => (y) <float[4] gamma, float[4] beta, float[4] bias> {
                h = com.microsoft.SkipLayerNormalization(x, skip, gamma, beta)
                y = com.microsoft.BiasGelu(h, bias)
            }
            """);

        Assert.Equal(0, cost.Macs.Total);
        Assert.Empty(cost.Uncounted);
        Assert.Equal(12, cost.Parameters);
        Assert.Equal([4 * ((3 * 12) + 8), 4 * ((2 * 12) + 4)], cost.Nodes.Select(n => n.MovedBytes));
    }

    [Fact]
    public void Body_of_a_scan_counts_for_each_slice()
    {
        ModelCost cost = Measure("""
            agraph (float[6,5,4] q, float[6,4,5] k) => (y) <float[6,4,4] w> {
                y = Scan<num_scan_inputs = 3, body = b (float[5,4] qi, float[4,5] ki, float[4,4] wi) => (float[5,5] yi) {
                    h = MatMul(qi, wi)
                    yi = MatMul(h, ki)
                }>(q, k, w)
            }
            """);

        Assert.Empty(cost.Uncounted);
        Assert.Equal(new MacCounts(6 * 5 * 4 * 4, 6 * 5 * 4 * 5, 0), cost.Macs);
        Assert.Equal([1, 6, 6], cost.Nodes.Select(n => n.Runs));
    }

    [Fact]
    public void Body_of_a_loop_counts_for_each_trip()
    {
        ModelCost cost = Measure("""
            agraph (float[5,4] x) => (y) <int64 trips = {3}, bool go = {1}, float[4,4] w> {
                y = Loop<body = b (int64 i, bool more, float[5,4] h) => (bool again, float[5,4] next) {
                    again = Identity(more)
                    next = MatMul(h, w)
                }>(trips, go, x)
            }
            """);

        Assert.Empty(cost.Uncounted);
        Assert.Equal(new MacCounts(3 * 5 * 4 * 4, 0, 0), cost.Macs);
        Assert.Equal(16, cost.Parameters);
    }

    [Fact]
    public void A_loop_of_unknown_length_counts_once_and_is_named()
    {
        ModelCost cost = Measure("""
            agraph (float[5,4] x, int64 trips) => (y) <bool go = {1}, float[4,4] w> {
                y = Loop<body = b (int64 i, bool more, float[5,4] h) => (bool again, float[5,4] next) {
                    again = Identity(more)
                    next = MatMul(h, w)
                }>(trips, go, x)
            }
            """);

        Assert.Contains("(Loop)", Assert.Single(cost.Uncounted), StringComparison.Ordinal);
        Assert.Equal(5 * 4 * 4, cost.Macs.Linear);
    }

    /// <summary>Logits that exist for one slice at a time are what a scan over heads saves.</summary>
    [Fact]
    public void Activations_of_a_body_are_alive_for_one_trip()
    {
        ModelCost cost = Measure("""
            agraph (float[8,10,1] q, float[8,1,10] k) => (float[8,10,1] y) {
                y = Scan<num_scan_inputs = 2, body = b (float[10,1] qi, float[1,10] ki) => (float[10,1] yi) {
                    logits = MatMul(qi, ki)
                    yi = MatMul(logits, qi)
                }>(q, k)
            }
            """);

        // Inputs and result of the scan (3 x 80), logits (100), and one slice of both inputs, or later of one and of the result (2 x 10).
        Assert.Equal(4 * (240 + 100 + 20), cost.PeakActivationBytes);
        Assert.Equal(new TensorCost("logits", "float", "[10,10]", 400), cost.LargestTensor);
    }

    [Fact]
    public void Views_move_nothing_and_what_selects_reads_what_it_writes()
    {
        ModelCost cost = Measure("""
            agraph (float[10,10] x) => (y) <int64[1] flat = {100}, int64[1] start = {0}, int64[1] end = {20}, float[20] w> {
                v = Reshape(x, flat)
                s = Slice(v, start, end)
                square = Mul(s, s)
                y = Mul(square, w)
            }
            """);

        Assert.Equal([0, 4 * 40, 4 * 40, 4 * 60], cost.Nodes.Select(n => n.MovedBytes));
        Assert.Equal([0, 80, 80, 80], cost.Nodes.Select(n => n.OutputBytes));
        Assert.Equal(cost.Nodes.Sum(n => n.MovedBytes), cost.MovedBytes);
    }

    [Fact]
    public void Running_statistics_are_not_trained()
    {
        ModelCost cost = Measure("""
            agraph (float[1,4,2,2] x) => (y) <float[4] gamma, float[4] beta, float[4] mean, float[4] variance> {
                y = BatchNormalization(x, gamma, beta, mean, variance)
            }
            """);

        Assert.Equal(8, cost.Parameters);
    }

    /// <summary>4.2 of the specification: the deltas for a global attention of ViT-B, 12 heads of 64, 4096 tokens, in GMACs.</summary>
    [Theory]
    [InlineData(12, 4096, 25.77)]
    [InlineData(12 * 4, 1024, 6.44)]
    [InlineData(12 * 16, 256, 1.61)]
    [InlineData(12 * 2, 2048, 12.88)]
    public void Dilated_attention_costs_what_its_classes_cost(long batch, long tokens, double expected)
    {
        long dilation = (long)Math.Round(Math.Sqrt(batch / 12.0));
        bool isMap = dilation * dilation * 12 == batch;
        long side = 64 / dilation;
        string split = isMap ? $"12, {side}, {dilation}, {side}, {dilation}, 64" : $"12, {tokens}, {batch / 12}, 64, 1, 1";
        string permutation = isMap ? "0,2,4,1,3,5" : "0,2,1,3,4,5";
        using Model model = ModelText.Parse($$"""
            agraph (float[12,4096,64] q, float[12,4096,64] k, float[12,4096,64] v) => (y) <int64[6] split = { {{split}} }, int64[3] classes = { {{batch}}, {{tokens}}, 64}> {
                qs = Reshape(q, split)
                qt = Transpose<perm = [{{permutation}}]>(qs)
                qc = Reshape(qt, classes)
                ks = Reshape(k, split)
                kt = Transpose<perm = [{{permutation}}]>(ks)
                kc = Reshape(kt, classes)
                keys = Transpose<perm = [0,2,1]>(kc)
                vs = Reshape(v, split)
                vt = Transpose<perm = [{{permutation}}]>(vs)
                vc = Reshape(vt, classes)
                logits = MatMul(qc, keys)
                weights = Softmax(logits)
                y = MatMul(weights, vc)
            }
            """);
        ShapeInference.Infer(model);

        ModelCost cost = CostModel.Measure(model);

        Assert.Equal(expected, Math.Round(cost.Macs.Attention / 1e9, 2));
        Assert.Equal(0, cost.Macs.Linear);
        Assert.Equal(4 * batch * tokens * tokens, cost.LargestTensor?.Bytes);
    }

    [Theory]
    [InlineData(12, 64, 0.41)]
    [InlineData(16, 80, 0.85)]
    public void Linear_attention_costs_what_its_two_products_cost(long heads, long size, double expected)
    {
        using Model model = ModelText.Parse($$"""
            agraph (float[{{heads}},4096,{{size}}] q, float[{{heads}},4096,{{size}}] k, float[{{heads}},4096,{{size + 1}}] v) => (y) {
                qr = Relu(q)
                kr = Relu(k)
                kt = Transpose<perm = [0,2,1]>(kr)
                sums = MatMul(kt, v)
                y = MatMul(qr, sums)
            }
            """);
        ShapeInference.Infer(model);

        Assert.Equal(expected, Math.Round(CostModel.Measure(model).Macs.Attention / 1e9, 2));
    }

    [Theory]
    [InlineData("sam_b_encoder", "[12,4096,4096]", 805_306_368)]
    [InlineData("sam_h_encoder", "[16,4096,4096]", 1_073_741_824)]
    public void Global_logits_are_the_largest_tensor(string name, string shape, long bytes)
    {
        using Model model = OnnxReader.Read(SkeletonModels.SkeletonPath(name), new ReadOptions { AllowMissingData = true });
        ShapeInference.Infer(model);
        ModelCost cost = CostModel.Measure(model);

        Assert.Equal((shape, bytes), (cost.LargestTensor?.Shape, cost.LargestTensor?.Bytes));
        Assert.True(cost.PeakActivationBytes >= 2 * bytes);
        Assert.True(cost.ActivationBytes > cost.PeakActivationBytes);
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
