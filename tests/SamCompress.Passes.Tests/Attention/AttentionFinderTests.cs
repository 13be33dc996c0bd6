using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Tests.Equalization;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Attention;

public sealed class AttentionFinderTests
{
    [Theory]
    [InlineData("sam-nano/encoder", 6)]
    [InlineData("sam-nano/decoder", 7)]
    [InlineData("sam_b_encoder", 12)]
    [InlineData("sam_b_encoder_dynamo", 12)]
    [InlineData("sam_h_encoder", 32)]
    [InlineData("sam_decoder", 7)]
    [InlineData("mobilesam_encoder", 10)]
    [InlineData("efficientsam_ti_encoder", 12)]
    [InlineData("efficientvit_sam_l0_encoder", 0)] // its attention has no Softmax
    public void Finds_every_attention_of_the_exporters(string name, int count)
    {
        using Model model = EqualizationCheck.Prepared(name);
        AttentionView view = AttentionFinder.Find(model);
        Assert.Empty(view.Misses);
        Assert.Equal(count, view.Blocks.Count);
        Assert.All(view.Blocks, b => Assert.True(b is { QueryKey.NotShiftInvariant: null, Value.Value.OtherReadings.Count: 0, QueryKey.Key.OtherReadings.Count: 0 }));
    }

    [Fact]
    public void Knows_the_columns_of_parts_one_behind_the_other()
    {
        AttentionBlock block = Single(AttentionText.Fused);
        Assert.Equal([0, 1, 2, 3], block.QueryKey!.Query.Columns.ToArray());
        Assert.Equal([4, 5, 6, 7], block.QueryKey.Key.Columns.ToArray());
        Assert.Equal([8, 9, 10, 11], block.Value!.Value.Columns.ToArray());
        Assert.Equal([0, 1, 2, 3], block.Value.Rows.ToArray());
        Assert.Equal("s (Mul)", block.QueryKey.LogitScale?.ToString());
        Assert.Equal(new HeadPlace(-3, 1, 2), block.QueryKey.Query.Place);
    }

    [Fact]
    public void Knows_the_columns_of_parts_within_heads()
    {
        AttentionBlock block = Single(AttentionText.Interleaved);
        Assert.Equal([0, 1, 6, 7], block.QueryKey!.Query.Columns.ToArray());
        Assert.Equal([2, 3, 8, 9], block.QueryKey.Key.Columns.ToArray());
        Assert.Equal([4, 5, 10, 11], block.Value!.Value.Columns.ToArray());
        Assert.Null(block.QueryKey.NotShiftInvariant);
    }

    [Fact]
    public void Finds_heads_that_share_an_axis_with_the_batch_and_the_term_that_reads_the_query()
    {
        AttentionBlock block = Single(AttentionText.WithPosition);
        Assert.Equal([0, 1, 2, 3], block.QueryKey!.Query.Columns.ToArray());
        Assert.Equal(new HeadPlace(-3, 1, 2), block.QueryKey.Query.Place);
        Assert.Equal("e (Einsum)", Assert.Single(block.QueryKey.Query.OtherReadings).Reader?.ToString());
        Assert.Null(block.QueryKey.LogitScale);
        Assert.Null(block.QueryKey.NotShiftInvariant);
    }

    [Fact]
    public void Finds_attention_between_any_number_of_tokens()
    {
        AttentionBlock block = Single(AttentionText.Cross);
        Assert.Equal(["qm", "km", "vm", "pm"], new[] { block.QueryKey!.Query.Layer, block.QueryKey.Key.Layer, block.Value!.Value.Layer, block.Value.Projection }.Select(l => l.Name));
        Assert.Equal("s (Div)", block.QueryKey.LogitScale?.ToString());
    }

    [Fact]
    public void Follows_gathered_heads_in_another_order()
    {
        AttentionBlock block = Single(AttentionText.Fused
            .With("int64[1] zero = {0}", "int64 two = {2}, int64 one = {1}, int64 none = {0}")
            .With("q5, k5, v5 = Split <axis = 0, num_outputs = 3> (t)\n    q = Squeeze (q5, zero)\n    k = Squeeze (k5, zero)\n    v = Squeeze (v5, zero)", "q = Gather (t, two)\n    k = Gather (t, none)\n    v = Gather (t, one)"));
        Assert.Equal([8, 9, 10, 11], block.QueryKey!.Query.Columns.ToArray());
        Assert.Equal([0, 1, 2, 3], block.QueryKey.Key.Columns.ToArray());
        Assert.Equal([4, 5, 6, 7], block.Value!.Value.Columns.ToArray());
    }

    [Theory]
    [InlineData("p = Softmax <axis = -1> (s)", "p = Softmax <axis = 2> (s)", "the Softmax is not over the last axis")]
    [InlineData("s = Mul (l, c)", "s = Relu (l)", "no product of two activations is found behind the Softmax")]
    [InlineData("s = Mul (l, c)", "l2 = MatMul (k, kt)\n    s = Add (l, l2)", "several products are added up behind the Softmax")]
    [InlineData("q = Squeeze (q5, zero)", "q6 = Squeeze (q5, zero)\n    q = Sigmoid (q6)", "no Linear is found behind the query")]
    [InlineData("k = Squeeze (k5, zero)", "k6 = Squeeze (k5, zero)\n    k = Sigmoid (k6)", "no Linear is found behind the key")]
    [InlineData("k = Squeeze (k5, zero)", "k6 = Squeeze (k5, zero)\n    k7 = Reshape (k6, odd)\n    k = Reshape (k7, even)", "the columns of the key cannot be followed to the product")]
    [InlineData("k = Squeeze (k5, zero)", "k6 = Squeeze (k5, zero)\n    k7 = Transpose <perm = [0, 2, 1, 3]> (k6)\n    k = Reshape (k7, even)", "tokens of the key have different columns")]
    public void Says_why_query_and_key_do_not_match(string old, string replacement, string reason) => Misses(
        AttentionText.Fused.With("int64[1] zero = {0}", "int64[1] zero = {0}, int64[2] odd = {3, -1}, int64[4] even = {1, 2, 4, 2}").With(old, replacement), AttentionMiss.QueryAndKey, reason);

    [Fact]
    public void Says_when_query_and_key_have_different_heads() => Misses(
        AttentionText.Cross.With("kr = Reshape (ka, split)\n    kt = Transpose <perm = [0, 2, 3, 1]> (kr)", "kr = Unsqueeze (ka, one)\n    kt = Transpose <perm = [0, 1, 3, 2]> (kr)")
            .With("float c", "int64[1] one = {1}, float c").With("float[6,4] wk", "float[6,2] wk").With("float[4] bk", "float[2] bk").With("wk = {", "wk = {0,1,2,3,4,5,6,7,8,9,0,1}, float[24] unused = {").With("bk = {", "bk = {1, 2}, float[4] unread = {"),
        AttentionMiss.QueryAndKey,
        "query and key have different heads");

    [Theory]
    [InlineData("y = Add (pm, pb)", "pp = Add (pm, pb)\n    u = ReduceSum <keepdims = 0> (o)\n    y = Add (pp, u)", "'o' is read by u (ReduceSum), which no channel is followed through")]
    [InlineData("o = MatMul (p, v)", "p2 = Relu (p)\n    o = MatMul (p2, v)", "the output of the Softmax is not the left operand of one product")]
    [InlineData("v = Squeeze (v5, zero)", "v6 = Squeeze (v5, zero)\n    v = Sigmoid (v6)", "no Linear is found behind the value")]
    [InlineData("ot = Transpose <perm = [0, 2, 1, 3]> (o)", "ot = Transpose <perm = [0, 1, 2, 3]> (o)", "the input channels of the projection are not the heads of the value")]
    public void Says_why_value_and_projection_do_not_match(string old, string replacement, string reason) =>
        Misses(AttentionText.Fused.With(old, replacement), AttentionMiss.ValueAndProjection, reason);

    [Theory]
    [InlineData("y = Add (pm, pb)", "pp = Add (pm, pb)\n    u = ReduceSum <keepdims = 0> (l)\n    y = Add (pp, u)", "the logits are read by more than the Softmax: 'l' is read by u (ReduceSum), which no channel is followed through")]
    [InlineData("float c = {0.7}", "float[4] c = {1, 2, 3, 4}", "s (Mul) may scale each key in another way")]
    [InlineData("p = Softmax <axis = -1> (s)", "s2 = Transpose <perm = [0, 1, 3, 2]> (s)\n    p = Softmax <axis = -1> (s2)", "the keys are not along the axis of the Softmax")]
    public void Says_why_keys_cannot_be_shifted(string old, string replacement, string reason) =>
        Assert.Equal(reason, Single(AttentionText.Fused.With(old, replacement)).QueryKey!.NotShiftInvariant);

    [Fact]
    public void Names_what_else_reads_a_column() => Assert.Equal(
        "'k' is read by u (Relu), which no channel is followed through",
        Single(AttentionText.Fused.With("=> (float[1,4,5] y)", "=> (float[1,4,5] y, float[1,2,4,2] u)").With("l = MatMul (q, kt)", "u = Relu (k)\n    l = MatMul (q, kt)")).QueryKey!.Key.OtherReadings.Single().ToString());

    private static AttentionBlock Single(string text) => Assert.Single(Find(text).Blocks);

    private static void Misses(string text, string part, string reason) => Assert.Equal(reason, Assert.Single(Find(text).Misses, m => m.Part == part).Reason);

    private static AttentionView Find(string text)
    {
        using Model model = ModelText.Parse(text);
        ShapeInference.Infer(model);
        return AttentionFinder.Find(model);
    }
}
