using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class FoldBatchNormalizationTests
{
    private const string Constants =
        "<float[2,1,2,2] w = {1, 2, 3, 4, -1, 0.5, 2, -3}, float[2] b = {0.5, -1}, float[2] s = {1.5, 2}, float[2] t = {0.1, 0.2}, float[2] m = {3, -1}, float[2] v = {4, 0.25}>";

    /// <summary>Both compute four products and a normalization in float: a few units in the last place.</summary>
    private const double Rounding = 1e-6;

    [Fact]
    public void Scales_the_weight_and_moves_the_bias() => Snapshot.Match(PassCheck.Apply(
        $"g (float[1,1,5,4] x) => (float[1,2,4,3] y) {Constants} {{ c = Conv (x, w, b) n = BatchNormalization (c, s, t, m, v) y = Relu (n) }}",
        new FoldBatchNormalization(),
        maxRelative: Rounding));

    [Fact]
    public void Makes_a_bias_where_there_is_none() => Snapshot.Match(PassCheck.Apply(
        $"g (float[1,1,5,4] x) => (float[1,2,3,2] y) {Constants} {{ c = Conv <strides = [2, 2], pads = [1, 1, 0, 0]> (x, w) y = BatchNormalization <epsilon = 0.01> (c, s, t, m, v) }}",
        new FoldBatchNormalization(),
        maxRelative: Rounding));

    [Fact]
    public void Keeps_a_convolution_with_other_users() => PassCheck.Refuses(
        $"g (float[1,1,5,4] x) => (float[1,2,4,3] c, float[1,2,4,3] y) {Constants} {{ c = Conv (x, w, b) y = BatchNormalization (c, s, t, m, v) }}",
        new FoldBatchNormalization(),
        "'c' is used outside the match");

    [Fact]
    public void Keeps_a_computed_weight() => PassCheck.Refuses(
        $"g (float[1,1,5,4] x, float[2,1,2,2] k) => (float[1,2,4,3] y) {Constants} {{ c = Conv (x, k, b) y = BatchNormalization (c, s, t, m, v) }}",
        new FoldBatchNormalization(),
        "an operand is no constant of type float");

    [Fact]
    public void Keeps_training() => PassCheck.Refuses(
        $"g (float[1,1,5,4] x) => (float[1,2,4,3] y) {Constants} {{ c = Conv (x, w, b) y, rm, rv = BatchNormalization <training_mode = 1> (c, s, t, m, v) }}",
        new FoldBatchNormalization(),
        "is in training mode");

    [Fact]
    public void Keeps_operands_of_another_size() => PassCheck.Refuses(
        $"g (float[1,1,5,4] x) => (float[1,2,4,3] y) <float[1] one = {{1}}, {Constants[1..]} {{ c = Conv (x, w, b) y = BatchNormalization (c, one, t, m, v) }}",
        new FoldBatchNormalization(),
        "the operands do not have one element for each channel");
}
