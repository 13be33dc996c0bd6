using SamCompress.IR;
using SamCompress.Passes.Fusion;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Fusion;

public sealed class FuseSkipLayerNormalizationTests
{
    private const string Constants =
        "<float[4] g = {1.5, -0.5, 0.7, 2}, float[4] b = {0.1, -0.2, 0.3, 0}, float[1,4] row = {1, 2, 3, 4}, float[5,4] table = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, -2, 3, 4, 5, 6, 7, 8, 9, 1}, float[5] column = {1, 2, 3, 4, 5}>";

    /// <summary>Sums of four elements for mean and variance, in another order; relative to the largest element.</summary>
    private const double Rounding = 1e-6;

    /// <summary>As between two blocks of SAM: the sum is the next residual. What else reads it stands before the normalization.</summary>
    [Fact]
    public void A_sum_that_is_read_again_becomes_the_fourth_output() => Snapshot.Match(PassCheck.Apply(
        $"<ir_version: 10, opset_import: [\"\": 21]>\ng (float[5,4] x, float[5,4] z) => (float[5,4] y) {Constants} {{ [add] s = Add (x, z) r = Relu (s) [norm] n = LayerNormalization <axis = -1, epsilon = 1.0e-6> (s, g, b) y = Add (r, n) }}",
        new FuseSkipLayerNormalization(),
        maxRelative: Rounding));

    /// <summary>The default epsilon of LayerNormalization is not that of SkipLayerNormalization; small inputs show it.</summary>
    [Fact]
    public void A_sum_that_nothing_else_reads_is_no_output() => Snapshot.Match(PassCheck.Apply(
        $"g (float[2,5,4] x, float[2,5,4] z) => (float[2,5,4] y) {Constants} {{ s = Add (x, z) y = LayerNormalization <axis = 2> (s, g) }}",
        new FuseSkipLayerNormalization(),
        maxRelative: Rounding,
        inputs: new Dictionary<string, Array> { ["x"] = Small(40, 1), ["z"] = Small(40, 2) }));

    [Fact]
    public void Outputs_keep_their_names() => Snapshot.Match(PassCheck.Apply(
        $"g (float[n,4] x, float[n,4] z) => (float[n,4] s, float[n,4] y) {Constants} {{ s = Add (x, z) y = LayerNormalization (s, g, b) }}",
        new FuseSkipLayerNormalization(),
        maxRelative: Rounding));

    [Theory]
    [InlineData("float[1,5,2,4] x, float[1,5,2,4] z", "float[1,5,2,4] y", "s = Add (x, z) y = LayerNormalization (s, g, b)")] // the kernel takes two or three dimensions
    [InlineData("float[5,4] x, float[1,4] z", "float[5,4] y", "s = Add (x, z) y = LayerNormalization (s, g, b)")] // broadcast
    [InlineData("float[5,4] x", "float[5,4] y", "s = Add (x, row) y = LayerNormalization (s, g, b)")] // broadcast
    [InlineData("float[n,4] x, float[m,4] z", "float[k,4] y", "s = Add (x, z) y = LayerNormalization (s, g, b)")] // perhaps broadcast
    [InlineData("float[5,4] x, float[5,4] z", "float[5,4] y", "s = Add (x, z) y = LayerNormalization <axis = 0> (s, table)")] // both axes
    [InlineData("float[5,4] x, float[5,4] z", "float[5,4] y, float[5,1] m", "s = Add (x, z) y, m = LayerNormalization (s, g, b)")] // the mean is used
    [InlineData("double[5,4] x, double[5,4] z, double[4] d", "double[5,4] y", "s = Add (x, z) y = LayerNormalization (s, d)")]
    [InlineData("float[5,4] x, float[5,4] z, float[4] d", "float[5,4] y", "s = Add (x, z) y = LayerNormalization (s, d, b)")] // a scale that is no constant
    [InlineData("float[5,4] x, float[5,4] z, float[4] d", "float[5,4] y", "s = Add (x, z) y = LayerNormalization (s, g, d)")] // a bias that is no constant
    [InlineData("float[5,4] x, float[5,4] z", "float[5,4] y", "s = Sub (x, z) y = LayerNormalization (s, g, b)")]
    public void Leaves_alone(string inputs, string outputs, string nodes) =>
        PassCheck.LeavesAlone($"g ({inputs}) => ({outputs}) {Constants} {{ {nodes} }}", new FuseSkipLayerNormalization());

    /// <summary>A second normalization of the same sum reads the fourth output.</summary>
    [Fact]
    public void Only_the_first_of_two_normalizations_takes_the_sum_over() => Snapshot.Match(PassCheck.Apply(
        $"g (float[5,4] x) => (float[5,4] y, float[5,4] z) {Constants} {{ s = Add (x, table) y = LayerNormalization (s, g, b) z = LayerNormalization (s, g) }}",
        new FuseSkipLayerNormalization(),
        maxRelative: Rounding));

    /// <summary>The reason for the pass: opening the model does not do it.</summary>
    [Fact]
    public void Is_what_onnx_runtime_does_not_do_itself()
    {
        using Model model = ModelText.Parse(
            $"g (float[5,4] x, float[5,4] z) => (float[5,4] y) {Constants} {{ s = Add (x, z) n = LayerNormalization (s, g, b) y = Add (n, s) }}");
        Assert.Contains("LayerNormalization", KernelReport.Read(model).Nodes.Select(n => n.OpType));
    }

    private static float[] Small(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() - 0.5) * 1e-2))];
    }
}
