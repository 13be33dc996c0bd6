using SamCompress.IR;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Tests.Attention;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Equalization;

public sealed class EqualizeValueProjectionTests
{
    private static EqualizeValueProjection Pass => new(EqualizationCheck.Statistics(EqualizationCheck.Value("h", -1, (-1, 3), (-30, 40), (0.1f, 0.2f), (-2, -1))), EqualizationCheck.Boldest);

    [Fact]
    public void Moves_scale_and_mean_of_the_value_into_the_projection() => Snapshot.Match(EqualizationCheck.Apply(AttentionText.Fused, Pass));

    [Fact]
    public void Works_where_heads_hold_query_key_and_value() => Snapshot.Match(EqualizationCheck.Apply(AttentionText.Interleaved, Pass));

    [Fact]
    public void Works_where_heads_share_an_axis_with_windows() => Snapshot.Match(EqualizationCheck.Apply(AttentionText.WithPosition, Pass));

    [Fact]
    public void Works_between_any_number_of_tokens() => Snapshot.Match(EqualizationCheck.Apply(AttentionText.Cross, Pass));

    [Fact]
    public void Only_scales_a_projection_without_bias() => Snapshot.Match(EqualizationCheck.Apply(AttentionText.Cross.With("pm = MatMul (h, pw)\n    y = Add (pm, pb)", "y = MatMul (h, pw)"), Pass));

    [Fact]
    public void Only_scales_a_value_that_is_multiplied_on_its_way() => Snapshot.Match(EqualizationCheck.Apply(AttentionText.Cross.With("v = Transpose <perm = [0, 2, 1, 3]> (vr)", "vt = Transpose <perm = [0, 2, 1, 3]> (vr)\n    v = Div (vt, c)"), Pass));

    [Theory]
    [InlineData("v = Squeeze (v5, zero)", "v = Squeeze (v5, zero)\n    u = Relu (v)", "a column of the value is read elsewhere: 'v' is read by u (Relu), which no channel is followed through", "[1,4,5] y)", "[1,4,5] y, float[1,2,4,2] u)")]
    [InlineData("a = Add (m, b)", "a = Add (m, b)", "a column of the value is read elsewhere: 'a' is read by the caller, it is a graph output", "[1,4,5] y)", "[1,4,5] y, float[1,4,12] a)")]
    [InlineData("m = MatMul (x, w)", "wt = Transpose (w)\n    n = Transpose (x)\n    m = MatMul (x, w)", "no Linear is found behind the value", "m = MatMul (x, w)", "wi = Identity (w)\n    m = MatMul (x, wi)")]
    [InlineData("pm = MatMul (h, pw)", "pn = Transpose (pt)\n    pm = MatMul (h, pn)", "the weight of pm is no initializer", "float[4,5] pw", "float[5,4] pt = {1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0}, float[4,5] pw")]
    public void Leaves_other_attentions_alone(string old, string replacement, string reason, params string[] more)
    {
        string text = AttentionText.Fused.With(old, replacement);
        for (int i = 0; i < more.Length; i += 2)
            text = text.With(more[i], more[i + 1]);
        EqualizationCheck.Refuses(text, Pass, reason);
    }

    [Fact]
    public void Asks_for_the_input_of_the_projection()
    {
        using Model model = ModelText.Parse(AttentionText.Fused);
        IR.Analysis.ShapeInference.Infer(model);
        Assert.Equal([new ObservedValue("h", -1, 4)], EqualizeValueProjection.RequestedStatistics(model));
    }

    [Fact]
    public void Says_when_there_are_no_statistics() =>
        EqualizationCheck.Refuses(AttentionText.Fused, new EqualizeValueProjection(EqualizationCheck.Statistics()), "there are no statistics of 'h'");
}
