using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;
using Xunit.Abstractions;

namespace SamCompress.Passes.Tests.Fusion;

/// <summary>What fusion makes of the graphs of the exporters.</summary>
public sealed class FusionPipelineTests(ITestOutputHelper output)
{
    /// <summary>The bound that the passes promise; what is measured is printed.</summary>
    private const double MaxRelative = 1e-4;

    /// <summary>Nodes of the cleaned graph and of the fused one, the normalizations and Gelu among these.</summary>
    public static TheoryData<string, int, int, int, int> Counts { get; } = new()
    {
        { "sam_b_encoder", 580, 520, 26, 12 },
        { "sam_b_encoder_dynamo", 572, 512, 26, 12 },
        { "sam_h_encoder", 1560, 1420, 66, 32 },
        { "sam_decoder", 330, 308, 10, 4 },
        { "mobilesam_encoder", 553, 449, 22, 23 },
        { "efficientvit_sam_l0_encoder", 423, 177, 1, 30 },
        { "efficientsam_ti_encoder", 388, 328, 26, 12 },
        { "sam-nano/encoder", 298, 262, 14, 6 },
        { "sam-nano/decoder", 324, 308, 9, 4 },
    };

    [Theory]
    [MemberData(nameof(Counts))]
    public void Fuses_every_normalization_and_gelu_for_good(string name, int cleaned, int fused, int normalizations, int gelus)
    {
        using Model model = ExporterModels.Open(name);
        new PassPipeline(StandardPipeline.Cleanup).Run(model, PassCheck.Context());
        Assert.Equal(cleaned, model.Graph.Nodes.Count);
        int attentions = AttentionFinder.Find(model).Blocks.Count;
        Fuse(model);
        Assert.Equal(fused, model.Graph.Nodes.Count);
        Assert.Equal(normalizations, model.Graph.Nodes.Count(n => n.OpType == "LayerNormalization"));
        Assert.Equal(gelus, model.Graph.Nodes.Count(n => n.OpType is "Gelu" or "FastGelu"));
        Assert.DoesNotContain(model.Graph.Nodes, n => n.OpType is "Erf" or "Tanh");
        Assert.Equal(attentions, AttentionFinder.Find(model).Blocks.Count);
        byte[] bytes = OnnxWriter.SerializeDetached(model, 0, out _);
        Assert.All(Fuse(model), record => Assert.Equal((record.Name, 0), (record.Name, record.Changes)));
        Assert.Equal(bytes, OnnxWriter.SerializeDetached(model, 0, out _));
    }

    [Theory]
    [InlineData("sam-nano/encoder")]
    [InlineData("efficientvit_sam_l0_encoder")]
    public void Fused_models_compute_the_same(string name) => AssertComputesTheSame(name);

    [Theory]
    [Trait("Category", "Long")]
    [InlineData("mobilesam_encoder")]
    public void Big_fused_models_compute_the_same(string name) => AssertComputesTheSame(name);

    private void AssertComputesTheSame(string name)
    {
        using Model before = OnnxReader.Read(ExporterModels.FilePath(name));
        using Model after = OnnxReader.Read(ExporterModels.FilePath(name));
        new PassPipeline(StandardPipeline.Cleanup).Run(after, PassCheck.Context());
        Fuse(after);
        foreach ((string value, double difference) in NumericAssert.Close(before, after, MaxRelative, optimization: GraphOptimization.Basic))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value}: {difference}"));
    }

    private static IReadOnlyList<PassRecord> Fuse(Model model) => new PassPipeline(StandardPipeline.Fusion(TargetDescription.Load("ort-cpu"))).Run(model, PassCheck.Context());
}
