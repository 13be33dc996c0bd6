using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;
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

    [Theory]
    [InlineData("sam-nano")]
    [InlineData("sam-nano-hard")]
    public void Embeddings_of_pictures_stay_in_float_and_gain_in_eight_bits(string name)
    {
        using Model before = EqualizationCheck.Prepared(name + "/encoder");
        using Model after = EqualizationCheck.Prepared(name + "/encoder");
        new PassPipeline(EqualizationPipeline.Passes(Calibrated(before, EqualizationPipeline.RequestedStatistics(before)))).Run(after, PassCheck.Context());
        var picture = new Dictionary<string, Array> { ["image"] = Picture(before, 20) };
        double difference = NumericAssert.Close(before, after, EqualizationCheck.MaxRelative, picture)["image_embeddings"];
        float[] expected = Run(before, picture);
        double plain = Sqnr(expected, Run(Quantized(before), picture)), equalized = Sqnr(expected, Run(Quantized(after), picture));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: float {difference}, 8 bits {plain:F1} dB, equalized {equalized:F1} dB"));
    }

    private static Model Quantized(Model model)
    {
        var planner = new QuantizationPlanner(new QuantizationOptions(), TargetDescription.Load(TargetDescription.Default));
        QuantizationPlan plan = planner.Plan(model, Calibrated(model, planner.RequiredStatistics(model)));
        new PassPipeline([new QuantizePass(plan)]).Run(model, PassCheck.Context());
        return model;
    }

    private static CalibrationStatistics Calibrated(Model model, IReadOnlyList<ObservedValue> observed)
    {
        IEnumerable<CalibrationSample> samples = Enumerable.Range(0, 6)
            .Select(i => new CalibrationSample($"{i}", new Dictionary<string, RuntimeTensor> { ["image"] = RuntimeTensor.Of(Picture(model, i), 1, 3, 256, 256) }));
        return new Calibrator().Run(model, observed, samples, new CalibrationOrigin("model", "0", "scenes"));
    }

    private static float[] Picture(Model encoder, int number)
    {
        Value input = encoder.Graph.Inputs[0];
        using var loader = new ImageLoader(Preprocessing.For(new SessionValue(input.Name, input.ElementType, input.Shape), "encoder"));
        using RuntimeTensor tensor = loader.Load(Path.Combine(SkeletonModels.RepositoryRoot, "calibration", $"scene_{number:000}.jpg")).Input;
        return tensor.ToArray<float>();
    }

    private static float[] Run(Model model, Dictionary<string, Array> picture)
    {
        using OnnxSession session = OnnxSession.Open(model);
        using RuntimeTensor image = RuntimeTensor.Of((float[])picture["image"], 1, 3, 256, 256);
        using RuntimeTensors outputs = session.Run(new Dictionary<string, RuntimeTensor> { ["image"] = image });
        return outputs["image_embeddings"].ToArray<float>();
    }

    private static double Sqnr(float[] expected, float[] actual) =>
        10 * Math.Log10(expected.Sum(e => (double)e * e) / expected.Zip(actual, (e, a) => ((double)e - a) * ((double)e - a)).Sum());

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
