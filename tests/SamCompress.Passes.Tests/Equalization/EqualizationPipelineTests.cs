using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;
using Xunit.Abstractions;

namespace SamCompress.Passes.Tests.Equalization;

public sealed class EqualizationPipelineTests(ITestOutputHelper output)
{
    /// <summary>Prompts and picture sizes that make sense to a decoder.</summary>
    private static readonly Dictionary<string, Array> DecoderInputs = new()
    {
        ["point_coords"] = new float[] { 10, 20, 100, 120, 0, 0 },
        ["point_labels"] = new float[] { 1, 0, -1 },
        ["has_mask_input"] = new float[] { 1 },
        ["orig_im_size"] = new float[] { 48, 64 },
    };

    /// <param name="changes">Of query and key, of the value, around a Relu, behind normalizations.</param>
    [Theory]
    [InlineData("sam-nano/encoder", 6, 6, 0, 13)]
    [InlineData("sam-nano/decoder", 7, 7, 12, 0)]
    [InlineData("sam-nano-hard/encoder", 6, 6, 0, 13)]
    [InlineData("sam-nano-hard/decoder", 7, 7, 12, 0)]
    [InlineData("sam_decoder", 7, 7, 12, 0)]
    public void Outputs_stay_whatever_the_statistics_say(string name, params int[] changes) => AssertComputesTheSame(name, changes);

    /// <inheritdoc cref="Outputs_stay_whatever_the_statistics_say"/>
    [Theory]
    [Trait("Category", "Long")]
    [InlineData("mobilesam_encoder", 10, 10, 0, 21)]
    [InlineData("efficientsam_ti_encoder", 12, 12, 0, 25)]
    [InlineData("efficientvit_sam_l0_encoder", 0, 0, 4, 0)]
    [InlineData("sam_b_encoder", 12, 12, 0, 25)]
    [InlineData("sam_b_encoder_dynamo", 12, 12, 0, 25)]
    public void Outputs_of_big_models_stay_whatever_the_statistics_say(string name, params int[] changes) => AssertComputesTheSame(name, changes);

    private void AssertComputesTheSame(string name, int[] changes)
    {
        using Model before = EqualizationCheck.Prepared(name);
        using Model after = EqualizationCheck.Prepared(name);
        CalibrationStatistics statistics = EqualizationCheck.Random(EqualizationPipeline.RequestedStatistics(before));
        IReadOnlyList<PassRecord> records = new PassPipeline(EqualizationPipeline.Passes(statistics, EqualizationCheck.Boldest with { EqualizeHeads = true })).Run(after, PassCheck.Context());
        Assert.Equal(changes, records.Select(r => r.Changes).Take(4));
        output.WriteLine(string.Join(", ", records.Select(r => $"{r.Name}: {r.Milliseconds:F0} ms")));
        foreach ((string value, double difference) in NumericAssert.Close(before, after, EqualizationCheck.MaxRelative, DecoderInputs, GraphOptimization.Basic))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value}: {difference}"));
    }
}
