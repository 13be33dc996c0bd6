using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Fusion;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Rewriting;
using SamCompress.Passes.Tests.Equalization;
using SamCompress.Passes.Tests.Quantization;

namespace SamCompress.Passes.Tests.Fusion;

/// <summary>What comes behind FlattenTokens and FuseGemm must see in a Gemm what it sees in a MatMul and an Add.</summary>
public sealed class GemmQuantizationTests
{
    private const string Encoder = "sam-nano/encoder";

    [Theory]
    [InlineData("ort-cpu")]
    [InlineData("qdq")]
    [InlineData("openvino")]
    [InlineData("tensorrt")]
    public void The_plan_has_the_same_layers(string target)
    {
        using Model separate = EqualizationCheck.Prepared(Encoder);
        using Model fused = Fused();
        IReadOnlyList<LayerPlan> expected = QuantizeCheck.Plan(separate, target).Layers, actual = QuantizeCheck.Plan(fused, target).Layers;
        Assert.Equal(expected.Select(Decision), actual.Select(Decision));
        Assert.Contains(fused.Graph.Nodes, n => n.Is("Gemm"));

        static string Decision(LayerPlan plan) => FormattableString.Invariant(
            $"{plan.Name} {plan.Kind} {plan.Execution} {plan.Form} {plan.WeightName} {plan.Bias?.Sum()} {plan.BiasRank} {plan.WeightScales.Sum()} {plan.Why}");
    }

    /// <summary>The portable form of a Linear of rank 2 needs an axis more, around which go two nodes: for it, fusing comes after quantization.</summary>
    [Theory]
    [InlineData("ort-cpu", false)]
    [InlineData("qdq", true)]
    [InlineData("openvino", false)]
    [InlineData("tensorrt", false)]
    public void Only_where_onnx_runtime_would_fuse_a_float_gemm_an_axis_is_added(string target, bool adds)
    {
        using Model model = Fused();
        Assert.Equal(adds, QuantizeCheck.Plan(model, target).Layers.Any(l => l.AddsAxis));
    }

    [Fact]
    public void Attention_is_seen_as_before()
    {
        using Model separate = EqualizationCheck.Prepared(Encoder);
        using Model fused = Fused();
        AttentionView expected = AttentionFinder.Find(separate), actual = AttentionFinder.Find(fused);
        Assert.NotEmpty(expected.Blocks);
        Assert.Equal(expected.Blocks.Select(Text), actual.Blocks.Select(Text));
        Assert.Equal(expected.Misses.Count, actual.Misses.Count);
        Assert.Equal(AttentionProductFinder.Find(separate.Graph).Select(p => p.Name), AttentionProductFinder.Find(fused.Graph).Select(p => p.Name));

        static string Text(AttentionBlock block) =>
            $"{block.QueryKey?.Query.Layer.Name} {string.Join(',', block.QueryKey?.Query.Columns ?? [])} {block.QueryKey?.Key.Layer.Name} {string.Join(',', block.QueryKey?.Key.Columns ?? [])} "
            + $"{block.Value?.Value.Layer.Name} {block.Value?.Projection.Name} {string.Join(',', block.Value?.Rows ?? [])}";
    }

    [Fact]
    public void As_much_is_equalized_as_before()
    {
        using Model separate = EqualizationCheck.Prepared(Encoder);
        using Model fused = Fused();
        Assert.Equal(Changes(separate), Changes(fused));

        static IEnumerable<(string, int)> Changes(Model model)
        {
            CalibrationStatistics statistics = EqualizationCheck.Random(EqualizationPipeline.RequestedStatistics(model));
            // Unused initializers do not count: there are others.
            return [.. new PassPipeline(EqualizationPipeline.Passes(statistics, EqualizationCheck.Boldest)).Run(model, PassCheck.Context()).SkipLast(1).Select(r => (r.Name, r.Changes))];
        }
    }

    private static Model Fused()
    {
        Model model = EqualizationCheck.Prepared(Encoder);
        new PassPipeline(new FlattenTokens(), new Rewriter(new FuseGemm())).Run(model, PassCheck.Context());
        return model;
    }
}
