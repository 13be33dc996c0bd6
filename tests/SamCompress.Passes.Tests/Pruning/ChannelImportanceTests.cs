using SamCompress.IR;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Pruning.Importance;

namespace SamCompress.Passes.Tests.Pruning;

/// <summary>Two hidden channels: columns (3, 4) and (1, 2) of a, rows (6, 8) and (0, -2) of b.</summary>
public sealed class ChannelImportanceTests
{
    private const string Text = """
        g (float[5,2] x) => (float[5,2] y) <float[2,2] a = {3, 1, 4, 2}, float[2] bias = {100, 1000}, float[2,2] b = {6, 8, 0, -2}>
        { m = MatMul (x, a) n = Add (m, bias) r = Relu (n) y = MatMul (r, b) }
        """;

    private static double[] Score(ChannelImportance importance, string text = Text)
    {
        using Model model = PruningCheck.Parse(text);
        return importance.Score(Assert.Single(ChannelGroupFinder.Find(model).Groups));
    }

    [Fact]
    public void Magnitude_is_the_mean_norm_over_the_layers()
    {
        Assert.Equal([(5 + 10) / 2.0, (Math.Sqrt(5) + 2) / 2], Score(new MagnitudeImportance()), (x, y) => Math.Abs(x - y) < 1e-6);
        Assert.Equal([(7 + 14) / 2.0, (3 + 2) / 2.0], Score(new MagnitudeImportance(isL1: true)));
    }

    [Fact]
    public void Taylor_sums_magnitudes_of_products()
    {
        var gradients = new Dictionary<string, Tensor> { ["a"] = Tensor.Of([1f, -2, 0.5f, 3], 2, 2), ["b"] = Tensor.Of([-1f, 2, 7, 0.25f], 2, 2) };

        // Channel 0: |3| + |2| and |-6| + |16|; channel 1: |-2| + |6| and |0| + |-0.5|.
        Assert.Equal([(5 + 22) / 2.0, (8 + 0.5) / 2], Score(new TaylorImportance(gradients, isDisturbed: true)));
    }

    [Fact]
    public void Hessian_weighs_squares()
    {
        var squares = new Dictionary<string, Tensor> { ["a"] = Tensor.Of([1f, 2, 0.5f, 3], 2, 2), ["b"] = Tensor.Of([1f, 0.5f, 7, 0.25f], 2, 2) };

        // Channel 0: 9 + 8 and 36 + 32; channel 1: 2 + 12 and 0 + 1.
        Assert.Equal([(17 + 68) / 2.0, (14 + 1) / 2.0], Score(new HessianImportance(squares)));
    }

    [Fact]
    public void A_gradient_that_is_missing_or_of_another_shape_is_a_bug()
    {
        Assert.Throws<InvariantException>(() => Score(new HessianImportance(new Dictionary<string, Tensor>())));
        Assert.Throws<InvariantException>(() => Score(new TaylorImportance(new Dictionary<string, Tensor> { ["a"] = Tensor.Of([1f, 2, 3, 4], 4) }, isDisturbed: false)));
    }

    /// <summary>A channel of heads is the sum over its places: places 0 and 2 of both axes are channel 0.</summary>
    [Fact]
    public void A_channel_counts_at_all_its_places() => Assert.Equal(
        [(4 + 13) / 2.0, (6 + 17) / 2.0],
        Score(new MagnitudeImportance(isL1: true), """
            g (float[1,1,1,3] x) => (float[1,1,1,3] y) <float[4,1,1,1] a = {1, 2, 3, 4}, float[1,4,1,1] b = {6, 8, 7, 9}, int64[4] heads = {1, 2, 2, 3}, int64[4] map = {1, 4, 1, 3}>
            { m = Conv (x, a) h = Reshape (m, heads) r = Relu (h) n = Reshape (r, map) y = Conv (n, b) }
            """));

    [Fact]
    public void Random_depends_on_seed_and_name_only()
    {
        double[] first = Score(new RandomImportance(1)), again = Score(new RandomImportance(1)), other = Score(new RandomImportance(2));

        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.All(first.Concat(other), s => Assert.InRange(s, 0, 1));
        Assert.Equal(4, first.Concat(other).Distinct().Count());
    }

    [Fact]
    public void Random_numbers_are_spread_evenly()
    {
        var group = new ChannelGroup { Name = "g", Kind = ChannelGroupKind.MlpHidden, Size = 10_000, Copies = 1, IsNormalized = false, Members = [], SizedNodes = [] };
        double[] scores = new RandomImportance(3).Score(group);

        Assert.InRange(scores.Average(), 0.49, 0.51);
        Assert.InRange(scores.Count(s => s < 0.1), 900, 1100);
    }
}
