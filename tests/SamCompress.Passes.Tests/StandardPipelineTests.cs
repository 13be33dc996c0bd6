using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Rewriting;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;
using Xunit.Abstractions;

namespace SamCompress.Passes.Tests;

public sealed class StandardPipelineTests(ITestOutputHelper output)
{
    /// <summary>The bound that the passes promise; what is measured is printed.</summary>
    private const double MaxRelative = 1e-4;

    /// <summary>Prompts and picture sizes that make sense to a decoder.</summary>
    private static readonly Dictionary<string, Array> DecoderInputs = new()
    {
        ["point_coords"] = new float[] { 10, 20, 100, 120, 0, 0 },
        ["point_labels"] = new float[] { 1, 0, -1 },
        ["has_mask_input"] = new float[] { 1 },
        ["orig_im_size"] = new float[] { 48, 64 },
    };

    public static TheoryData<string, int, int> NodeCounts { get; } = new()
    {
        { "sam_b_encoder", 3219, 580 },
        { "sam_b_encoder_dynamo", 612, 572 },
        { "sam_h_encoder", 9499, 1560 },
        { "sam_decoder", 1146, 330 },
        { "mobilesam_encoder", 1014, 553 },
        { "efficientvit_sam_l0_encoder", 807, 423 },
        { "efficientsam_ti_encoder", 811, 388 },
        { "sam-nano/encoder", 1615, 298 },
        { "sam-nano/decoder", 1146, 324 },
    };

    [Theory]
    [MemberData(nameof(NodeCounts))]
    public void Cleans_exporter_graphs_for_good(string name, int before, int after)
    {
        using Model model = ExporterModels.Open(name);
        Assert.Equal(before, model.Graph.Nodes.Count);
        Clean(model);
        Assert.Equal(after, model.Graph.Nodes.Count);
        byte[] bytes = OnnxWriter.SerializeDetached(model, 0, out _);
        Assert.All(Clean(model), record => Assert.Equal((record.Name, 0), (record.Name, record.Changes)));
        Assert.Equal(bytes, OnnxWriter.SerializeDetached(model, 0, out _));
    }

    [Fact]
    public void The_same_input_gives_the_same_bytes()
    {
        byte[] first = CleanedBytes();
        Assert.Equal(first, CleanedBytes());

        static byte[] CleanedBytes()
        {
            using Model model = ExporterModels.Open("sam_decoder");
            Clean(model);
            return OnnxWriter.SerializeDetached(model, 0, out _);
        }
    }

    [Theory]
    [InlineData("sam-nano/encoder")]
    [InlineData("sam-nano/decoder")]
    [InlineData("sam_decoder")]
    [InlineData("efficientvit_sam_l0_encoder")]
    public void Cleaned_models_compute_the_same(string name) => AssertComputesTheSame(name);

    [Theory]
    [Trait("Category", "Long")]
    [InlineData("mobilesam_encoder")]
    [InlineData("efficientsam_ti_encoder")]
    [InlineData("sam_b_encoder")]
    [InlineData("sam_b_encoder_dynamo")]
    public void Big_cleaned_models_compute_the_same(string name) => AssertComputesTheSame(name);

    [Fact]
    public void Every_cleanup_pass_and_rule_has_its_place()
    {
        HashSet<Type> placed = [.. StandardPipeline.Cleanup.Select(p => p.GetType()), .. StandardPipeline.Cleanup.OfType<Rewriter>().SelectMany(r => r.Rules).Select(r => r.GetType())];
        IEnumerable<Type> all = typeof(Pass).Assembly.GetTypes()
            .Where(t => !t.IsAbstract && t.Namespace == "SamCompress.Passes.Cleanup" && (t.IsAssignableTo(typeof(Pass)) || t.IsAssignableTo(typeof(RewriteRule))));
        Assert.Empty(all.Except(placed));
    }

    private static IReadOnlyList<PassRecord> Clean(Model model) => new PassPipeline(StandardPipeline.Cleanup).Run(model, PassCheck.Context());

    private void AssertComputesTheSame(string name)
    {
        using Model before = OnnxReader.Read(ExporterModels.FilePath(name));
        using Model after = OnnxReader.Read(ExporterModels.FilePath(name));
        Clean(after);
        foreach ((string value, double difference) in NumericAssert.Close(before, after, MaxRelative, DecoderInputs, GraphOptimization.Basic))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value}: {difference}"));
    }
}
