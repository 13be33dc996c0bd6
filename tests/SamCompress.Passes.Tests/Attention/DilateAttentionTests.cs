using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Attention;

public sealed class DilateAttentionTests
{
    private static readonly AttentionSelection All = new();

    [Fact]
    public void Phases_of_a_map_attend_to_themselves() => Snapshot.Match(AttentionCheck.Apply(
        SamBlockText.Global(4, 6), StandardPipeline.Rewrite(new DilateAttention(All, 2)), m => AttentionCheck.Mask(m, 24, SamePhase(6, 2))));

    [Theory]
    [InlineData(24, 2)] // the whole map is one segment
    [InlineData(12, 2)]
    [InlineData(6, 3)] // a row is a segment
    public void Segments_attend_to_every_second_token(int segment, int interval) => AttentionCheck.Apply(
        SamBlockText.Global(4, 6),
        StandardPipeline.Rewrite(new DilateAttention(All, interval, segment)),
        m => AttentionCheck.Mask(m, 24, (q, k) => q / segment == k / segment && q % interval == k % interval));

    [Theory]
    [InlineData(DilatedAxes.Rows)]
    [InlineData(DilatedAxes.Columns)]
    public void Only_rows_or_only_columns_are_left_out(DilatedAxes axes) => AttentionCheck.Apply(
        SamBlockText.Global(4, 6),
        StandardPipeline.Rewrite(new DilateAttention(All, 2, axes: axes)),
        m => AttentionCheck.Mask(m, 24, (q, k) => axes == DilatedAxes.Rows ? q / 6 % 2 == k / 6 % 2 : q % 6 % 2 == k % 6 % 2));

    /// <summary>Of a map of 4 rows and 5 columns only the columns are in the way.</summary>
    [Fact]
    public void An_axis_that_is_whole_need_not_be_divided()
    {
        AttentionCheck.Apply(SamBlockText.Global(4, 5), StandardPipeline.Rewrite(new DilateAttention(All, 2, axes: DilatedAxes.Rows)), m => AttentionCheck.Mask(m, 20, (q, k) => q / 5 % 2 == k / 5 % 2));
        AttentionCheck.Refuses(SamBlockText.Global(4, 5), new DilateAttention(All, 2, axes: DilatedAxes.Columns), "an interval of 2 does not divide a map of 4 x 5");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Equals_masked_attention_in_the_global_blocks_of_a_real_encoder(int interval)
    {
        using Model expected = AttentionCheck.Prepared("sam-nano/encoder");
        using Model actual = AttentionCheck.Prepared("sam-nano/encoder");
        Node[] global = [.. SelfAttentionReader.Read(expected).Attentions.Where(a => a.IsGlobal).Select(a => a.Softmax)];
        Assert.Equal(2, global.Length);
        var mask = new float[256 * 256];
        for (int i = 0; i < mask.Length; i++)
            mask[i] = SamePhase(16, interval)(i / 256, i % 256) ? 0 : -1e9f;
        Value constant = expected.Graph.AddInitializer("mask", Tensor.Of(mask, 256, 256));
        foreach (Node softmax in global)
            softmax.ReplaceInput(0, expected.Graph.InsertBefore(softmax, "Add", [softmax.Input(0), constant], [expected.Graph.FreshName("masked")]).Output);
        new PassPipeline(StandardPipeline.Rewrite(new DilateAttention(All, interval))).Run(actual, PassCheck.Context());
        NumericAssert.Close(expected, actual, AttentionCheck.MaxRelative);
        SelfAttention[] read = [.. SelfAttentionReader.Read(actual).Attentions];
        Assert.Equal(6, read.Length);
        Assert.Equal([interval * interval, interval * interval], new[] { read[2], read[5] }.Select(a => (int)a.Order.GroupCount));
    }

    [Fact]
    public void Refuses_an_interval_of_one() => Refuses(new DilateAttention(All, 1), "the interval must be at least 2");

    [Fact]
    public void Refuses_an_interval_that_does_not_divide_the_map() => Refuses(new DilateAttention(All, 3), "an interval of 3 does not divide a map of 4 x 6");

    [Fact]
    public void Refuses_a_segment_that_does_not_divide_the_tokens() => Refuses(new DilateAttention(All, 2, 10), "a segment of 10 must divide 24 tokens and be a multiple of 2");

    [Fact]
    public void Refuses_a_segment_that_cuts_through_rows() =>
        Refuses(new DilateAttention(All, 2, 8), "a segment of 8 with interval 2 cuts through rows of 6 tokens, whose relative positions would not be the same in all");

    [Fact]
    public void Refuses_windows() => AttentionCheck.Refuses(SamBlockText.Windowed(3, 4, 2), new DilateAttention(new AttentionSelection([0]), 2), "it is cut into windows or phases already");

    [Fact]
    public void Refuses_tokens_that_are_no_map() => AttentionCheck.Refuses(
        AttentionText.Fused.With("float[1,4,6] x", "float[1,6,6] x").With("float[1,4,5] y", "float[1,6,5] y").With("split = {1, 4, 3, 2, 2}", "split = {1, 6, 3, 2, 2}").With("merge = {1, 4, 4}", "merge = {1, 6, 4}"),
        new DilateAttention(All, 2),
        "its tokens are no map with known sides");

    [Fact]
    public void Refuses_a_table_of_the_logits() => AttentionCheck.Refuses(AttentionText.Interleaved, new DilateAttention(All, 2), "its term for positions cannot be taken apart into phases");

    private static void Refuses(DilateAttention pass, string reason) => AttentionCheck.Refuses(SamBlockText.Global(4, 6), pass, reason);

    private static Func<int, int, bool> SamePhase(int width, int interval) =>
        (q, k) => q / width % interval == k / width % interval && q % width % interval == k % width % interval;
}
