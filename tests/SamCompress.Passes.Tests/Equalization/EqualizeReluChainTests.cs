using SamCompress.IR;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Quantization;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Equalization;

public sealed class EqualizeReluChainTests
{
    private const string Linears =
        """
        t (float[1,2,2] x) => (float[1,2,2] y)
        <float[2,3] v = {1, 40, 0.1, -1, 60, 0.2}, float[3] a = {0.5, 10, -0.1}, float[3,2] w = {1, -2, 0.03, 0.05, 2, 1}, float[2] b = {0.5, -1}>
        { l = MatMul (x, v) k = Add (l, a) r = Relu (k) m = MatMul (r, w) y = Add (m, b) }
        """;

    private static readonly (float Min, float Max)[] Ranges = [(0, 3), (0, 150), (0, 0.4f)];

    private static EqualizeReluChain Pass(string value = "r", int axis = -1) => new(EqualizationCheck.Statistics(EqualizationCheck.Value(value, axis, Ranges)), EqualizationCheck.Boldest);

    [Fact]
    public void Scales_the_channels_between_two_linears() => Snapshot.Match(EqualizationCheck.Apply(Linears, Pass()));

    [Fact]
    public void Scales_channels_that_nothing_changes_between() =>
        Snapshot.Match(EqualizationCheck.Apply(Linears.Replace("r = Relu (k) m = MatMul (r, w)", "m = MatMul (k, w)", StringComparison.Ordinal), Pass("k")));

    [Fact]
    public void Scales_stored_transposed_weights_and_several_readers() => Snapshot.Match(EqualizationCheck.Apply(
        """
        t (float[4,2] x) => (float[4,2] y, float[4,2] z)
        <float[3,2] v = {1, -1, 40, 60, 0.1, 0.2}, float[3] a = {0.5, 10, -0.1}, float[2,3] w = {1, 0.03, 2, -2, 0.05, 1}, float[2] b = {0.5, -1}>
        { k = Gemm <transB = 1> (x, v, a) r = Relu (k) y = Gemm <transB = 1> (r, w, b) z = Gemm <transB = 1> (r, w, b) }
        """,
        Pass()));

    [Fact]
    public void Scales_between_convolutions_with_groups_and_padding() => Snapshot.Match(EqualizationCheck.Apply(
        """
        t (float[1,2,4,4] x) => (float[1,2,8,8] y)
        <float[3,2,1,1] v = {1, -1, 40, 60, 0.1, 0.2}, float[3] a = {0.5, 10, -0.1}, float[3,1,3,3] d = {1,0,1,0,1,0,1,0,1, 0.1,0,0,0.1,0,0,0.1,0.1,0, 2,2,2,1,1,1,3,3,3},
         float[3,2,2,2] w = {1,2,3,4,5,6,7,8, 0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8, -1,-2,-3,-4,-5,-6,-7,-8}>
        {
            k = Conv <kernel_shape = [1, 1]> (x, v, a)
            r = Relu (k)
            e = Conv <kernel_shape = [3, 3], group = 3, pads = [1, 1, 1, 1]> (r, d)
            y = ConvTranspose <kernel_shape = [2, 2], strides = [2, 2]> (e, w)
        }
        """,
        new EqualizeReluChain(EqualizationCheck.Statistics(EqualizationCheck.Value("r", 1, Ranges), EqualizationCheck.Value("e", 1, (-1, 9), (0, 60), (0, 1))), EqualizationCheck.Boldest)));

    [Theory]
    [InlineData("y = Add (m, b)", "z = Add (m, b) u = ReduceSum <keepdims = 0> (r) y = Add (z, u)", "'r' is read by u (ReduceSum), which no channel is followed through")]
    [InlineData("=> (float[1,2,2] y)", "=> (float[1,2,2] y, float[1,2,3] r)", "'r' is read by the caller, it is a graph output")]
    [InlineData("=> (float[1,2,2] y)", "=> (float[1,2,2] y, float[1,2,3] k)", "'k' is read by the caller, it is a graph output")]
    [InlineData("l = MatMul (x, v)", "n = Transpose (c) l = MatMul (x, n)", "the weight of l is no initializer", "float[2] b", "float[3,2] c = {1, 2, 3, 4, 5, 6}, float[2] b")]
    [InlineData("m = MatMul (r, w)", "n = Transpose (c) m = MatMul (r, n)", "the weight of m is no initializer", "float[2] b", "float[2,3] c = {1, 2, 3, 4, 5, 6}, float[2] b")]
    public void Leaves_other_layers_alone(string old, string replacement, string reason, params string[] more)
    {
        string text = Linears.Replace(old, replacement, StringComparison.Ordinal);
        for (int i = 0; i < more.Length; i += 2)
            text = text.Replace(more[i], more[i + 1], StringComparison.Ordinal);
        EqualizationCheck.Refuses(text, Pass(), reason);
    }

    [Fact]
    public void Does_not_look_through_gelu()
    {
        using Model model = ModelText.Parse(Linears.Replace("Relu", "Gelu", StringComparison.Ordinal));
        IR.Analysis.ShapeInference.Infer(model);
        PassContext context = PassCheck.Context();
        Assert.Empty(EqualizeReluChain.RequestedStatistics(model));
        Assert.Equal(0, Pass().Apply(model, context));
        Assert.Empty(context.Diagnostics);
    }

    [Fact]
    public void Asks_for_the_inputs_of_the_layers_behind()
    {
        using Model model = ModelText.Parse(Linears);
        IR.Analysis.ShapeInference.Infer(model);
        Assert.Equal([new ObservedValue("r", -1, 3)], EqualizeReluChain.RequestedStatistics(model));
    }

    [Fact]
    public void Says_when_there_are_no_statistics() => EqualizationCheck.Refuses(Linears, Pass("other"), "there are no statistics of 'r'");
}
