using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;
using SamCompress.Runtime.Prompts;
using SamCompress.Testing;
using Xunit.Abstractions;

namespace SamCompress.Passes.Tests.Equalization;

/// <summary>The trained sample models, equalized by statistics of pictures and judged on others.</summary>
public sealed class EqualizedPicturesTests(ITestOutputHelper output)
{
    private static readonly CalibrationOrigin Origin = new("model", "0", "scenes");

    /// <param name="least">What eight bits must reach, in dB.</param>
    /// <param name="gain">
    /// By how much equalization must help. sam-nano-hard is the same function as sam-nano, with outliers; a model without them must not lose by what differs
    /// between pictures.
    /// </param>
    [Theory]
    [InlineData("sam-nano", 37, -0.5)]
    [InlineData("sam-nano-hard", 37, 5)]
    public void Encoder_stays_in_float_and_gains_in_eight_bits(string name, double least, double gain) =>
        AssertGains(name + "/encoder", EncoderSamples(name, 0, 8), EncoderSamples(name, 34, 3), "image_embeddings", least, gain);

    /// <inheritdoc cref="Encoder_stays_in_float_and_gains_in_eight_bits"/>
    [Theory]
    [InlineData("sam-nano", 35, -2)]
    [InlineData("sam-nano-hard", 33, 10)]
    public void Decoder_stays_in_float_and_gains_in_eight_bits(string name, double least, double gain) =>
        AssertGains(name + "/decoder", DecoderSamples(name, 0, 12), DecoderSamples(name, 34, 3), "low_res_masks", least, gain);

    private void AssertGains(string name, IEnumerable<CalibrationSample> seen, IEnumerable<CalibrationSample> unseen, string judged, double least, double gain)
    {
        using Model before = EqualizationCheck.Prepared(name);
        using Model after = EqualizationCheck.Prepared(name);
        CalibrationStatistics statistics = new Calibrator().Run(before, EqualizationPipeline.RequestedStatistics(before), seen, Origin);
        new PassPipeline(EqualizationPipeline.Passes(statistics)).Run(after, PassCheck.Context());
        IReadOnlyDictionary<string, float[]> expected = Run(before, unseen), equal = Run(after, unseen);
        foreach ((string value, float[] elements) in expected)
        {
            double difference = elements.Zip(equal[value], (a, b) => Math.Abs((double)a - b)).Max() / elements.Max(Math.Abs);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value}: {difference}"));
            Assert.InRange(difference, 0, EqualizationCheck.MaxRelative);
        }

        double plain = Sqnr(expected[judged], Run(Quantized(before, seen), unseen)[judged]), equalized = Sqnr(expected[judged], Run(Quantized(after, seen), unseen)[judged]);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: 8 bits {plain:F1} dB, equalized {equalized:F1} dB"));
        Assert.True(equalized >= least && equalized >= plain + gain, $"{plain} dB became {equalized} dB");
    }

    private static Model Quantized(Model model, IEnumerable<CalibrationSample> seen)
    {
        var planner = new QuantizationPlanner(new QuantizationOptions(), TargetDescription.Load(TargetDescription.Default));
        QuantizationPlan plan = planner.Plan(model, new Calibrator().Run(model, planner.RequiredStatistics(model), seen, Origin));
        new PassPipeline([new QuantizePass(plan)]).Run(model, PassCheck.Context());
        return model;
    }

    private static IEnumerable<CalibrationSample> EncoderSamples(string name, int first, int count)
    {
        using ImageEncoder encoder = ImageEncoder.Open(ExporterModels.FilePath(name + "/encoder"));
        using var loader = new ImageLoader(encoder.Preprocessing);
        foreach (string path in Scenes(first, count))
            yield return new CalibrationSample(path, new Dictionary<string, RuntimeTensor> { ["image"] = loader.Load(path).Input });
    }

    private static IEnumerable<CalibrationSample> DecoderSamples(string name, int first, int count)
    {
        using ImageEncoder encoder = ImageEncoder.Open(ExporterModels.FilePath(name + "/encoder"));
        using MaskDecoder decoder = MaskDecoder.Open(ExporterModels.FilePath(name + "/decoder"));
        using var loader = new ImageLoader(encoder.Preprocessing);
        foreach (string path in Scenes(first, count))
        {
            using EncoderImage image = loader.Load(path);
            using RuntimeTensors embedding = encoder.Encode(image.Input, decoder.Interface.EncoderOutputs);
            Prompt box = Prompt.Around(image.Width * 0.25, image.Height * 0.25, image.Width * 0.75, image.Height * 0.75);
            foreach (Prompt prompt in Prompt.Grid(2, image.Width, image.Height).Append(box))
            {
                Dictionary<string, RuntimeTensor> inputs = decoder.PromptInputs(prompt, image.Width, image.Height);
                foreach ((string input, RuntimeTensor tensor) in embedding)
                    inputs[input] = RuntimeTensor.Of(tensor.ToArray<float>(), tensor.Dimensions.AsSpan());
                yield return new CalibrationSample(path, inputs);
            }
        }
    }

    private static IEnumerable<string> Scenes(int first, int count) =>
        Enumerable.Range(first, count).Select(i => Path.Combine(SkeletonModels.RepositoryRoot, "calibration", $"scene_{i:000}.jpg"));

    /// <summary>For each output its elements over all samples.</summary>
    private static Dictionary<string, float[]> Run(Model model, IEnumerable<CalibrationSample> samples)
    {
        var all = model.Graph.Outputs.ToDictionary(o => o.Name, _ => new List<float>(), StringComparer.Ordinal);
        using OnnxSession session = OnnxSession.Open(model);
        foreach (CalibrationSample sample in samples)
        {
            using (sample)
            {
                using RuntimeTensors outputs = session.Run(sample.Inputs);
                foreach ((string name, List<float> elements) in all)
                    elements.AddRange(outputs[name].ToArray<float>());
            }
        }

        return all.ToDictionary(o => o.Key, o => o.Value.ToArray());
    }

    private static double Sqnr(float[] expected, float[] actual) =>
        10 * Math.Log10(expected.Sum(e => (double)e * e) / expected.Zip(actual, (e, a) => ((double)e - a) * ((double)e - a)).Sum());
}
