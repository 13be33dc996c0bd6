using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Passes.Distillation;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Distillation;

public sealed class DistillationObjectiveTests
{
    [Fact]
    public void Embedding_is_one_term_that_always_counts()
    {
        DistillationObjective objective = DistillationObjective.OfEmbedding(Features(), LossKind.Absolute);
        Assert.Equal([new ObjectiveTerm("embedding", 0, LossKind.Absolute)], objective.Terms);
        Assert.Equal([1.0], objective.Weights(0.7));
    }

    [Fact]
    public void Masks_come_beside_the_embedding()
    {
        DistillationObjective objective = DistillationObjective.OfMasks(Features(), 0.25);
        Assert.Equal([("embedding", LossKind.Squared, false), ("masks", LossKind.Absolute, true)], objective.Terms.Select(t => (t.Feature, t.Kind, t.IsOfMasks)));
        Assert.Equal([1, 0.25], objective.Weights(0.7));
    }

    /// <summary>Two layers: the focus is 1 + 2 p, a layer counts 1 - |l - focus| / 2.</summary>
    [Theory]
    [InlineData(0, new[] { 1, 0.5, 0 })]
    [InlineData(0.25, new[] { 0.75, 0.75, 0.25 })]
    [InlineData(0.5, new[] { 0.5, 1, 0.5 })]
    [InlineData(1, new[] { 0, 0.5, 1 })]
    public void Focus_moves_from_the_first_layer_to_the_embedding(double progress, double[] weights)
    {
        DistillationObjective objective = DistillationObjective.OfLayers(Features(), LossKind.Squared);
        Assert.Equal(["s1", "s2", "embedding"], objective.Terms.Select(t => t.Feature));
        Assert.Equal(weights, objective.Weights(progress));
    }

    /// <summary>SlimSAM: alpha is a half in the first half, shared by one attention and two hidden layers.</summary>
    [Theory]
    [InlineData(0, 0.5, 0.5)]
    [InlineData(0.49, 0.5, 0.5)]
    [InlineData(0.5, 1, 0)]
    [InlineData(1, 1, 0)]
    public void Bottlenecks_count_half_in_the_first_half(double progress, double embedding, double bottlenecks)
    {
        DistillationObjective objective = DistillationObjective.OfBottlenecks(Features());
        Assert.Equal(["embedding", "qkv", "h1", "h2"], objective.Terms.Select(t => t.Feature));
        Assert.All(objective.Terms, t => Assert.Equal(0, t.Teacher));
        double each = bottlenecks / 3;
        Assert.Equal([embedding, each, each, each], objective.Weights(progress));
    }

    /// <summary>SlimSAM: alpha = (10 - n - 1) / 10 for ten of twenty epochs.</summary>
    [Theory]
    [InlineData(0, 0.9)]
    [InlineData(0.05, 0.8)]
    [InlineData(0.26, 0.4)]
    [InlineData(0.45, 0)]
    [InlineData(0.8, 0)]
    public void Stream_counts_less_with_every_epoch(double progress, double alpha)
    {
        DistillationObjective objective = DistillationObjective.OfStream(Features());
        Assert.Equal([("embedding", 0), ("embedding", 1), ("s0", 1), ("s1", 1), ("s2", 1)], objective.Terms.Select(t => (t.Feature, t.Teacher)));
        Assert.Equal([1 - alpha, alpha, alpha / 3, alpha / 3, alpha / 3], objective.Weights(progress).Select(w => Math.Round(w, 12)), (a, b) => Math.Abs(a - b) < 1e-9);
    }

    private static EncoderFeatures Features()
    {
        Graph graph = ModelText.Parse("main (float[1] x) => (float[1] embedding) { s0 = Neg(x) s1 = Neg(s0) s2 = Neg(s1) qkv = Neg(s0) h1 = Neg(s1) h2 = Neg(s2) embedding = Neg(s2) }", 17).Graph;
        Value Of(string name) => graph.Nodes.Single(n => n.Output.Name == name).Output;
        return new EncoderFeatures(Of("embedding"), [Of("s0"), Of("s1"), Of("s2")], [Of("qkv")], [Of("h1"), Of("h2")]);
    }
}
