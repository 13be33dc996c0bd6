using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Fusion;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;
using Xunit.Abstractions;

namespace SamCompress.Passes.Tests.Fusion;

/// <summary>The stage as a whole on the graphs of the exporters.</summary>
public sealed class FuseForTargetTests(ITestOutputHelper output)
{
    /// <summary>Of the largest magnitude: a bias is added first instead of last, and a SkipLayerNormalization sums in another order. What is measured is printed.</summary>
    private const double Rounding = 2e-5;

    private static readonly Dictionary<string, Array> DecoderInputs = new()
    {
        ["point_coords"] = new float[] { 10, 20, 100, 120, 0, 0 },
        ["point_labels"] = new float[] { 1, 0, -1 },
        ["has_mask_input"] = new float[] { 1 },
        ["orig_im_size"] = new float[] { 48, 64 },
    };

    [Theory]
    [InlineData("sam_b_encoder", 580, 536, 348)]
    [InlineData("sam_b_encoder_dynamo", 572, 528, 340)]
    [InlineData("sam_h_encoder", 1560, 1476, 908)]
    [InlineData("sam_decoder", 330, 314, 290)]
    [InlineData("mobilesam_encoder", 553, 502, 333)]
    [InlineData("efficientvit_sam_l0_encoder", 423, 418, 174)]
    [InlineData("efficientsam_ti_encoder", 388, 327, 147)]
    [InlineData("sam-nano/encoder", 298, 270, 168)]
    [InlineData("sam-nano/decoder", 324, 314, 290)]
    public void Makes_exporter_graphs_smaller_for_good(string name, int cleaned, int standard, int contributed)
    {
        foreach ((string target, int expected) in (ReadOnlySpan<(string, int)>)[("qdq", standard), ("ort-cpu", contributed)])
        {
            using Model model = Cleaned(name);
            Assert.Equal(cleaned, model.Graph.Nodes.Count);
            Fuse(model, target);
            Assert.Equal((target, expected), (target, model.AllGraphs().Sum(g => g.Nodes.Count)));
            Assert.All(Fuse(model, target), record => Assert.Equal((record.Name, 0), (record.Name, record.Changes)));
        }
    }

    [Theory]
    [InlineData("sam-nano/encoder")]
    [InlineData("sam-nano/decoder")]
    [InlineData("sam_decoder")]
    public void Flattened_exporter_graphs_give_the_same_bits(string name) => AssertSameBits(name);

    [Theory]
    [Trait("Category", "Long")]
    [InlineData("mobilesam_encoder")]
    [InlineData("efficientsam_ti_encoder")]
    [InlineData("sam_b_encoder")]
    public void Big_flattened_exporter_graphs_give_the_same_bits(string name) => AssertSameBits(name);

    [Theory]
    [InlineData("sam-nano/encoder", "qdq")]
    [InlineData("sam-nano/encoder", "ort-cpu")]
    [InlineData("sam-nano/decoder", "ort-cpu")]
    [InlineData("sam_decoder", "ort-cpu")]
    [InlineData("efficientvit_sam_l0_encoder", "ort-cpu")]
    public void Fused_exporter_graphs_compute_the_same(string name, string target) => AssertComputesTheSame(name, target);

    [Theory]
    [Trait("Category", "Long")]
    [InlineData("mobilesam_encoder", "ort-cpu")]
    [InlineData("efficientsam_ti_encoder", "ort-cpu")]
    [InlineData("sam_b_encoder", "ort-cpu")]
    public void Big_fused_exporter_graphs_compute_the_same(string name, string target) => AssertComputesTheSame(name, target);

    private static Model Cleaned(string name)
    {
        Model model = name.Contains('/', StringComparison.Ordinal)
            ? OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, "models", name + ".onnx"))
            : SkeletonModels.Open(name);
        new PassPipeline(StandardPipeline.Cleanup).Run(model, PassCheck.Context());
        return model;
    }

    private static IReadOnlyList<PassRecord> Fuse(Model model, string target)
    {
        var description = TargetDescription.Load(target);
        return new PassPipeline([.. StandardPipeline.Fusion(description), .. StandardPipeline.FuseForTarget(description)]).Run(model, PassCheck.Context());
    }

    private static void AssertSameBits(string name)
    {
        using Model before = Cleaned(name);
        using Model after = Cleaned(name);
        Assert.True(new FlattenTokens().Apply(after, PassCheck.Context()) > 0);
        Assert.DoesNotContain(GraphChecker.Check(after), d => d.Severity == Severity.Error);
        NumericAssert.EqualBits(before, after, DecoderInputs);
    }

    private void AssertComputesTheSame(string name, string target)
    {
        using Model before = Cleaned(name);
        using Model after = Cleaned(name);
        Fuse(after, target);
        foreach (GraphOptimization optimization in (ReadOnlySpan<GraphOptimization>)[GraphOptimization.None, GraphOptimization.All])
        {
            foreach ((string value, double difference) in NumericAssert.Close(before, after, Rounding, DecoderInputs, optimization))
                output.WriteLine(FormattableString.Invariant($"{name} {target} {optimization} {value}: {difference}"));
        }
    }
}
