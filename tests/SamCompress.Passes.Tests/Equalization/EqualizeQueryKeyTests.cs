using SamCompress.IR;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Tests.Attention;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Equalization;

public sealed class EqualizeQueryKeyTests
{
    private static readonly (float Min, float Max)[] Query = [(-1, 1), (-40, 40), (-0.1f, 0.1f), (-3, 3)];
    private static readonly (float Min, float Max)[] Key = [(9, 12), (-0.5f, 0.1f), (-30, -10), (-1, 1)];

    /// <summary>For texts with one Linear.</summary>
    private static CalibrationStatistics OfFused => EqualizationCheck.Statistics(EqualizationCheck.Value("a", -1, [.. Query, .. Key, (-1, 1), (-1, 1), (-1, 1), (-1, 1)]));

    private static CalibrationStatistics OfCross => EqualizationCheck.Statistics(EqualizationCheck.Value("qa", -1, Query), EqualizationCheck.Value("ka", -1, Key));

    [Fact]
    public void Balances_query_against_key_and_centres_the_key() => Snapshot.Match(EqualizationCheck.Apply(AttentionText.Fused, new EqualizeQueryKey(OfFused, EqualizationCheck.Boldest)));

    [Fact]
    public void Scales_the_query_behind_the_place_where_a_position_term_reads_it() => Snapshot.Match(EqualizationCheck.Apply(AttentionText.WithPosition, new EqualizeQueryKey(OfFused, EqualizationCheck.Boldest)));

    [Fact]
    public void Works_between_any_number_of_tokens() => Snapshot.Match(EqualizationCheck.Apply(AttentionText.Cross, new EqualizeQueryKey(OfCross, EqualizationCheck.Boldest)));

    [Theory]
    [InlineData("s = Div (l, c)", "divided")]
    [InlineData("s = Mul (c, l)", "multiplied")]
    public void Evens_out_heads_where_the_logits_are_scaled(string scale, string suffix) => Snapshot.Match(
        EqualizationCheck.Apply(AttentionText.Cross.With("s = Div (l, c)", scale), new EqualizeQueryKey(OfCross, EqualizationCheck.Boldest with { EqualizeHeads = true })), suffix);

    [Fact]
    public void Gives_keys_without_bias_positive_means() => Snapshot.Match(EqualizationCheck.Apply(
        AttentionText.Cross.With("    ka = Add (km, bk)\n", "").With("kr = Reshape (ka, split)", "kr = Reshape (km, split)"),
        new EqualizeQueryKey(EqualizationCheck.Statistics(EqualizationCheck.Value("qa", -1, Query), EqualizationCheck.Value("km", -1, Key)), EqualizationCheck.Boldest)));

    [Fact]
    public void Does_not_centre_keys_when_something_reads_the_logits() => Snapshot.Match(EqualizationCheck.Apply(
        AttentionText.Fused.With("[1,4,5] y)", "[1,4,5] y, float[1,2,4,4] s)"), new EqualizeQueryKey(OfFused, EqualizationCheck.Boldest)));

    [Fact]
    public void Only_centres_keys_when_the_position_term_reads_the_same_query()
    {
        string text = AttentionText.WithPosition.With("(q, table)", "(qs, table)");
        using Model model = ModelText.Parse(text);
        IR.Analysis.ShapeInference.Infer(model);
        PassContext context = PassCheck.Context();
        Assert.Equal(1, new EqualizeQueryKey(OfFused, EqualizationCheck.Boldest).Apply(model, context));
        Assert.Equal("is not equalized: the query is read elsewhere, and no constant of its own scales it before the product: 'qs' is read by e (Einsum), which no channel is followed through", Assert.Single(context.Diagnostics).Message);
        Snapshot.Match(EqualizationCheck.Apply(text, new EqualizeQueryKey(OfFused, EqualizationCheck.Boldest)));
    }

    [Theory]
    [InlineData("k = Squeeze (k5, zero)", "k = Squeeze (k5, zero)\n    u = Relu (k)", "a column of the key is read elsewhere: 'k' is read by u (Relu), which no channel is followed through", "[1,4,5] y)", "[1,4,5] y, float[1,2,4,2] u)")]
    [InlineData("m = MatMul (x, w)", "wi = Identity (w)\n    m = MatMul (x, wi)", "no Linear is found behind the query")]
    [InlineData("m = MatMul (x, w)", "wn = Transpose (wt)\n    m = MatMul (x, wn)", "the weight of m is no initializer", "float[6,12] w", "float[12,6] wt = {1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9}, float[6,12] w")]
    [InlineData("q = Squeeze (q5, zero)", "q = Squeeze (k5, zero)", "a column of the key is read elsewhere: 'q' is read by l (MatMul), which no channel is followed through")]
    public void Leaves_other_attentions_alone(string old, string replacement, string reason, params string[] more)
    {
        string text = AttentionText.Fused.With(old, replacement);
        for (int i = 0; i < more.Length; i += 2)
            text = text.With(more[i], more[i + 1]);
        EqualizationCheck.Refuses(text, new EqualizeQueryKey(OfFused, EqualizationCheck.Boldest), reason);
    }

    [Fact]
    public void Asks_for_the_outputs_of_the_layers()
    {
        using Model model = ModelText.Parse(AttentionText.Cross);
        IR.Analysis.ShapeInference.Infer(model);
        Assert.Equal([new ObservedValue("ka", -1, 4), new ObservedValue("qa", -1, 4)], EqualizeQueryKey.RequestedStatistics(model));
    }

    [Fact]
    public void Says_when_there_are_no_statistics() =>
        EqualizationCheck.Refuses(AttentionText.Fused, new EqualizeQueryKey(EqualizationCheck.Statistics()), "there are no statistics of 'a'");
}
