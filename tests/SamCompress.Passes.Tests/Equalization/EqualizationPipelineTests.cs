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

    [Theory]
    [InlineData("sam-nano/encoder")]
    [InlineData("sam-nano/decoder")]
    [InlineData("sam-nano-hard/encoder")]
    [InlineData("sam-nano-hard/decoder")]
    [InlineData("sam_decoder")]
    public void Outputs_stay_whatever_the_statistics_say(string name) => AssertComputesTheSame(name);

    [Theory]
    [Trait("Category", "Long")]
    [InlineData("mobilesam_encoder")]
    [InlineData("efficientsam_ti_encoder")]
    [InlineData("efficientvit_sam_l0_encoder")]
    [InlineData("sam_b_encoder")]
    [InlineData("sam_b_encoder_dynamo")]
    public void Outputs_of_big_models_stay_whatever_the_statistics_say(string name) => AssertComputesTheSame(name);

    private void AssertComputesTheSame(string name)
    {
        using Model before = EqualizationCheck.Prepared(name);
        using Model after = EqualizationCheck.Prepared(name);
        CalibrationStatistics statistics = EqualizationCheck.Random(EqualizationPipeline.RequestedStatistics(before));
        PassContext context = PassCheck.Context();
        foreach (PassRecord record in new PassPipeline(EqualizationPipeline.Passes(statistics)).Run(after, context))
            output.WriteLine($"{name} {record.Name}: {record.Changes} in {record.Milliseconds:F0} ms");
        foreach (Diagnostic d in context.Diagnostics)
            output.WriteLine(d.ToString());
        foreach ((string value, double difference) in NumericAssert.Close(before, after, EqualizationCheck.MaxRelative, DecoderInputs, GraphOptimization.Basic))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value}: {difference}"));
    }
}
