using SamCompress.IR;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Quantization;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Equalization;

public sealed class EqualizeLayerNormalizationTests
{
    private const string Constants =
        """
        <float[3] g = {1, 40, 0.5}, float[3] h = {0.1, 20, -0.2}, float[3,2] w = {1, -2, 0.03, 0.05, 2, 1}, float[2] b = {0.5, -1},
         float[3,3] v = {1, 2, 3, 0.04, 0.05, -0.06, -1, 1, 2}, float[3] a = {1, 0, -1}>
        """;

    /// <summary>Two tokens on a row; the second channel is the wide one.</summary>
    private const string Direct = $"t (float[1,2,3] x) => (float[1,2,2] y) {Constants} {{ n = LayerNormalization (x, g, h) m = MatMul (n, w) y = Add (m, b) }}";

    private static readonly (float Min, float Max)[] Ranges = [(-1, 1.4f), (-36, 76), (-0.9f, 0.5f)];

    private static EqualizeLayerNormalization Pass(string value = "n", int axis = -1) => new(EqualizationCheck.Statistics(EqualizationCheck.Value(value, axis, Ranges)), EqualizationCheck.Boldest);

    [Fact]
    public void Scales_and_shifts_in_front_of_a_linear() => Snapshot.Match(EqualizationCheck.Apply(Direct, Pass()));

    [Fact]
    public void Only_scales_in_front_of_padded_windows() => Snapshot.Match(EqualizationCheck.Apply(
        $$"""
        t (float[1,3,4,3] x) => (float[4,4,2] y)
        <int64[8] pads = {0, 0, 0, 0, 0, 1, 0, 0}, int64[6] cut = {1, 2, 2, 2, 2, 3}, int64[3] join = {4, 4, 3}, {{Constants[1..]}}
        {
            n = LayerNormalization (x, g, h)
            p = Pad (n, pads)
            r = Reshape (p, cut)
            s = Transpose <perm = [0, 1, 3, 2, 4, 5]> (r)
            j = Reshape (s, join)
            m = MatMul (j, w)
            y = Add (m, b)
        }
        """,
        Pass("j")));

    [Fact]
    public void Serves_several_layers_and_leaves_alone_what_others_read() => Snapshot.Match(EqualizationCheck.Apply(
        $$"""
        t (float[2,3] x) => (float[2,2] y, float[2,3] z, float[2,2] u)
        {{Constants}}
        {
            n = LayerNormalization (x, g, h)
            m = MatMul (n, w)
            y = Add (m, b)
            z = Gemm (n, v, a)
            o = LayerNormalization (x, g, h)
            i = Relu (o)
            k = MatMul (i, w)
            u = Add (k, b)
        }
        """,
        Pass()));

    [Fact]
    public void Makes_a_bias_where_the_normalization_has_none() => Snapshot.Match(EqualizationCheck.Apply(Direct.Replace("(x, g, h)", "(x, g)", StringComparison.Ordinal), Pass()));

    [Fact]
    public void Only_scales_a_linear_without_bias() => Snapshot.Match(EqualizationCheck.Apply(Direct.Replace("m = MatMul (n, w) y = Add (m, b)", "y = MatMul (n, w)", StringComparison.Ordinal), Pass()));

    [Theory]
    [InlineData("pads = [1, 1, 1, 1]", 3)]
    [InlineData("pads = [0, 0, 0, 0]", 1)]
    public void Scales_a_normalization_over_maps_and_shifts_where_the_convolution_does_not_pad(string pads, int size) => Snapshot.Match(
        EqualizationCheck.Apply(
            $$"""
            t (float[1,3,3,3] x) => (float[1,2,{{size}},{{size}}] y)
            <float two = {2}, float tiny = {0.000001}, float[3,1,1] g = {1, 40, 0.5}, float[3,1,1] h = {0.1, 20, -0.2}, float[2] b = {0.5, -1}, int64[1] one = {1},
             float[2,3,3,3] w = {1,2,3,4,5,6,7,8,9, 0.1,0.2,-0.1,-0.2,0.1,0.3,-0.1,0.2,0.1, 9,8,7,6,5,4,3,2,1, 1,1,1,1,1,1,1,1,1, 0.1,0,0,0.1,0,0,0.1,0,0, 2,2,2,2,2,2,2,2,2}>
            {
                e = ReduceMean (x, one)
                d = Sub (x, e)
                q = Pow (d, two)
                v = ReduceMean (q, one)
                v1 = Add (v, tiny)
                s = Sqrt (v1)
                i = Div (d, s)
                f = Mul (g, i)
                n = Add (f, h)
                y = Conv <kernel_shape = [3, 3], {{pads}}> (n, w, b)
            }
            """,
            Pass(axis: 1)),
        pads.Contains('1', StringComparison.Ordinal) ? "padded" : "valid");

    [Theory]
    [InlineData("y = Add (m, b)", "z = Add (m, b) r = ReduceSum <keepdims = 0> (n) y = Add (z, r)", "'n' is read by r (ReduceSum), which no channel is followed through")]
    [InlineData("=> (float[1,2,2] y)", "=> (float[1,2,2] y, float[1,2,3] n)", "'n' is read by the caller, it is a graph output")]
    [InlineData("(float[1,2,3] x)", "(float[1,2,3] x, float[3] k) ", "its scale is no initializer", "(x, g, h)", "(x, k, h)")]
    [InlineData("(float[1,2,3] x)", "(float[1,2,3] x, float[3] k) ", "its bias is no initializer", "(x, g, h)", "(x, g, k)")]
    [InlineData("n = LayerNormalization (x, g, h)", "n, e = LayerNormalization (x, g, h) f = Relu (e)", "its mean or deviation is used", "y)", "y, float[1,2,1] f)")]
    [InlineData("float[3] g = {1, 40, 0.5}, float[3] h = {0.1, 20, -0.2}", "float[2,3] g = {1, 40, 0.5, 1, 40, 0.5}, float[2,3] h = {0, 1, 2, 3, 4, 5}", "it normalizes several axes at once", "LayerNormalization", "LayerNormalization <axis = 1>")]
    [InlineData("m = MatMul (n, w)", "c = Transpose (w) d = Transpose (c) m = MatMul (n, d)", "'n' is read by m (MatMul), which no channel is followed through")]
    [InlineData("m = MatMul (n, w)", "m = MatMul (n, c)", "the weight of m is no initializer", "{ n =", "{ c = Transpose (k) n =", "float[3,2] w", "float[2,3] k = {1, 2, 3, 4, 5, 6}, float[3,2] w")]
    [InlineData("m = MatMul (n, w)", "r = Reshape (n, s) m = MatMul (r, l)", "m does not read the channels as its input channels", "float[3,2] w", "int64[3] s = {1, 1, 6}, float[6,2] l = {1,2,3,4,5,6,7,8,9,0,1,2}, float[3,2] w", "[1,2,2] y", "[1,1,2] y")]
    [InlineData("m = MatMul (n, w)", "p = Pad (n, s, one) m = MatMul (p, w)", "'n' is read by p (Pad), which no channel is followed through", "float[3,2] w", "float one = {1}, int64[6] s = {0,0,0,0,1,0}, float[3,2] w", "[1,2,2] y", "[1,3,2] y")]
    public void Leaves_other_normalizations_alone(string old, string replacement, string reason, params string[] more)
    {
        string text = Direct.Replace(old, replacement, StringComparison.Ordinal);
        for (int i = 0; i < more.Length; i += 2)
            text = text.Replace(more[i], more[i + 1], StringComparison.Ordinal);
        EqualizationCheck.Refuses(text, Pass(), reason);
    }

    [Fact]
    public void Says_when_there_are_no_statistics() => EqualizationCheck.Refuses(Direct, Pass("other"), "there are no statistics of 'n'");

    [Fact]
    public void Says_when_statistics_are_not_finite() => EqualizationCheck.Refuses(
        Direct,
        new EqualizeLayerNormalization(EqualizationCheck.Statistics(EqualizationCheck.Value("n", -1, Ranges) with { ChannelMax = [1, float.PositiveInfinity, 2] })),
        "the statistics of 'n' are not finite");

    [Fact]
    public void Leaves_even_channels_alone()
    {
        using Model model = ModelText.Parse("t (float[1,2,2] x) => (float[1,2,2] y) <float[2] g = {1, 1}, float[2,2] w = {1, -1, -1, 1}> { n = LayerNormalization (x, g) y = MatMul (n, w) }");
        IR.Analysis.ShapeInference.Infer(model);
        PassContext context = PassCheck.Context();
        Assert.Equal(0, new EqualizeLayerNormalization(EqualizationCheck.Statistics(EqualizationCheck.Value("n", -1, (-1, 1), (-1, 1)))).Apply(model, context));
        Assert.Empty(context.Diagnostics);
    }

    /// <summary>Other pictures go 30 % further, and even channels would all be clipped then: what one wide channel leaves free is worth more than a finer step.</summary>
    [Theory]
    [InlineData(2, false)]
    [InlineData(40, true)]
    public void Evens_out_by_default_only_what_is_far_apart(float widest, bool changes)
    {
        using Model model = ModelText.Parse(
            "t (float[1,2,4] x) => (float[1,2,2] y) <float[4] g = {1, 1, 1, 1}, float[4,2] w = {1, -1, -1, 1, 1, 1, -1, -1}> { n = LayerNormalization (x, g) y = MatMul (n, w) }");
        IR.Analysis.ShapeInference.Infer(model);
        CalibrationStatistics statistics = EqualizationCheck.Statistics(EqualizationCheck.Value("n", -1, (-1, 1), (-1, 1), (-1, 1), (-widest, widest)));
        Assert.Equal(changes ? 1 : 0, new EqualizeLayerNormalization(statistics).Apply(model, PassCheck.Context()));
        Assert.Equal(1, new EqualizeLayerNormalization(statistics, EqualizationCheck.Boldest).Apply(model, PassCheck.Context()));
    }

    [Fact]
    public void Asks_for_the_inputs_of_the_layers()
    {
        using Model model = ModelText.Parse(Direct);
        IR.Analysis.ShapeInference.Infer(model);
        Assert.Equal([new ObservedValue("n", -1, 3)], EqualizeLayerNormalization.RequestedStatistics(model));
    }

    [Fact]
    public void Stops_at_the_limit_of_steps()
    {
        using Model model = ModelText.Parse(Direct);
        IR.Analysis.ShapeInference.Infer(model);
        string before = ModelText.Print(model);
        Assert.Equal(0, Pass().Apply(model, new PassContext { Steps = new StepLog { Limit = 0 } }));
        Assert.Equal(before, ModelText.Print(model));
    }
}
