using System.Globalization;
using SamCompress.Passes.Fusion;
using SamCompress.Passes.Rewriting;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Fusion;

public sealed class FuseLayerNormalizationTests
{
    private const string Scalars = "float two = {2}, float eps = {0.000001}";

    /// <summary>Mean, variance and quotient in float, summed in another order.</summary>
    private const double Rounding = 1e-6;

    private const string Mean = "m = ReduceMean <axes = [1]> (x)";
    private const string Variance = "v = ReduceMean <axes = [1]> (p)";

    private static readonly string OverMaps = Maps(Mean, Variance);

    [Fact]
    public void Fuses_the_last_axis() => Snapshot.Match(PassCheck.Apply(Rows("p = Pow (d, two)", "y = Add (z, b)"), new FuseLayerNormalization(), 17, Rounding));

    [Theory]
    [InlineData("p = Mul (d, d)", "y = Add (z, b)")]
    [InlineData("p = Pow (d, two)", "y = Add (b, z)")]
    public void Fuses_every_way_to_write_it(string square, string last)
    {
        string text = PassCheck.Apply(Rows(square, last), new FuseLayerNormalization(), 17, Rounding);
        Assert.Contains("LayerNormalization <axis = -1, epsilon = 1e-06> (x, g, b)", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Fuses_channels_of_maps_between_transposes() => Snapshot.Match(PassCheck.Apply(OverMaps, new FuseLayerNormalization(), 17, Rounding));

    [Fact]
    public void Takes_the_axis_from_an_input() => Snapshot.Match(PassCheck.Apply(
        Maps("m = ReduceMean (x, axis)", "v = ReduceMean <keepdims = 1> (p, axis)"), new FuseLayerNormalization(), 18, Rounding));

    [Fact]
    public void Works_for_any_batch_and_size() => Assert.Contains(
        "LayerNormalization",
        PassCheck.Apply(OverMaps.Replace("1,64,2,3", "N,64,H,W", StringComparison.Ordinal), new FuseLayerNormalization(), 17, Rounding),
        StringComparison.Ordinal);

    [Fact]
    public void Keeps_fewer_channels_than_pay() => PassCheck.Refuses(
        Maps(Mean, Variance, 63, "63,1,1"), new FuseLayerNormalization(), "63 channels are too few to pay for the Transposes", 17);

    [Fact]
    public void Keeps_it_below_opset_17() => PassCheck.Refuses(OverMaps, new FuseLayerNormalization(), "opset 16 has no LayerNormalization, opset 17 has", 16);

    [Fact]
    public void Keeps_an_axis_between() => PassCheck.Refuses(
        Maps("m = ReduceMean <axes = [2]> (x)", "v = ReduceMean <axes = [2]> (p)"), new FuseLayerNormalization(), "normalizes neither the last axis nor channels", 17);

    [Theory]
    [InlineData("m = ReduceMean <axes = [1]> (x)", "v = ReduceMean <axes = [2]> (p)")]
    [InlineData("m = ReduceMean <axes = [1, 2]> (x)", "v = ReduceMean <axes = [1, 2]> (p)")]
    public void Keeps_means_along_other_axes(string mean, string variance) => PassCheck.Refuses(
        Maps(mean, variance), new FuseLayerNormalization(), "the means are not along one axis that they keep", 17);

    [Theory]
    [InlineData("64,1,3")]
    [InlineData("2,3")]
    [InlineData("1")]
    public void Keeps_a_scale_that_is_not_one_for_each_channel(string shape) => PassCheck.Refuses(
        Maps(Mean, Variance, gammaShape: shape), new FuseLayerNormalization(), "gamma or beta does not have one element for each place along the axis", 17);

    [Fact]
    public void Keeps_what_is_of_no_known_rank() => PassCheck.Refuses(
        Rows("p = Pow (d, two)", "y = Add (z, b)").Replace("float[2,5] x", "float[M] elements, int64[K] shape", StringComparison.Ordinal).Replace("{ m =", "{ x = Reshape (elements, shape) m =", StringComparison.Ordinal),
        new FuseLayerNormalization(), "is not known to be floating point, or its rank is not known", 17);

    [Fact]
    public void Keeps_a_mean_that_something_else_reads() => PassCheck.Refuses(
        OverMaps.Replace("=> (", "=> (float[1,1,2,3] m, ", StringComparison.Ordinal), new FuseLayerNormalization(), "'m' is used outside the match", 17);

    [Fact]
    public void Keeps_a_cube() => PassCheck.LeavesAlone(
        OverMaps.Replace("float two = {2}", "float two = {3}", StringComparison.Ordinal), new Rewriter(new FuseLayerNormalization()), 17);

    private static string Rows(string square, string last) =>
        $$"""
        g (float[2,5] x) => (float[2,5] y) <{{Scalars}}, float[5] g = {1, 2, 0.5, -1, 3}, float[5] b = {0.5, 0, -1, 2, 1}>
        { m = ReduceMean <axes = [-1], keepdims = 1> (x) d = Sub (x, m) {{square}} v = ReduceMean <axes = [-1]> (p) e = Add (v, eps) s = Sqrt (e) q = Div (d, s) z = Mul (q, g) {{last}} }
        """;

    private static string Maps(string mean, string variance, int channels = 64, string gammaShape = "64,1,1") =>
        $$"""
        g (float[1,{{channels}},2,3] x) => (float[1,{{channels}},2,3] y)
        <{{Scalars}}, int64[1] axis = {1}, float[{{gammaShape}}] g = {{{Numbers(gammaShape)}}}, float[1,{{channels}},1,1] b = {{{Numbers($"{channels}")}}}>
        { {{mean}} d = Sub (x, m) p = Pow (d, two) {{variance}} e = Add (eps, v) s = Sqrt (e) q = Div (d, s) z = Mul (g, q) y = Add (z, b) }
        """;

    /// <summary>As many numbers as the shape has elements.</summary>
    private static string Numbers(string shape) =>
        string.Join(", ", Enumerable.Range(1, shape.Split(',').Aggregate(1, (count, d) => count * int.Parse(d, CultureInfo.InvariantCulture))).Select(i => i % 7));
}
