using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;
using SamCompress.Testing;
using Xunit.Abstractions;

namespace SamCompress.Runtime.Tests.Observers;

/// <summary>The whole way on the sample model: 32 pictures to calibrate with, 8 others to judge by.</summary>
public sealed class QuantizedEncoderTests(QuantizedEncoderTests.Calibration calibration, ITestOutputHelper output) : IClassFixture<QuantizedEncoderTests.Calibration>, IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");

    private static string Encoder => Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");

    private static string Decoder => Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "decoder.onnx");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("minmax")]
    [InlineData("percentile")]
    [InlineData("mse")]
    public void Keeps_the_masks_and_a_third_of_the_size(string method)
    {
        string artifact = Path.Combine(_directory.FullName, method + ".onnx");
        using Model model = Prepared();
        var planner = new QuantizationPlanner(new QuantizationOptions { Estimator = Estimator(method) }, TargetDescription.Load(TargetDescription.Default));
        QuantizationPlan plan = planner.Plan(model, calibration.Statistics);
        new PassPipeline(new QuantizePass(plan)).Run(model, new PassContext());
        OnnxWriter.Save(model, artifact, new SaveOptions { ExternalData = ExternalDataMode.Never });

        using Teacher teacher = Teacher.Open(Encoder, Decoder);
        using ImageEncoder student = ImageEncoder.Open(artifact);
        EvaluationResult result = new Evaluator(teacher, new EvaluationSettings { LatencyRounds = 0 }).Evaluate(student, ImageSet.Of(Scenes(32, 8)));
        Assert.InRange(result.Masks!.MeanIou, 0.98, 1);
        Assert.InRange(result.SizeRatio!.Value, 0.25, 0.32);

        // 24 Linears of six blocks, the patch embedding and both convolutions of the neck, the second one as patches.
        Assert.Empty(TargetCheck.Check(model, TargetDescription.Load(TargetDescription.Default)));
        IReadOnlyList<(string OpType, int Count)> kernels = KernelReport.Read(artifact).Counts;
        Assert.Contains(("MatMulIntegerToFloat", 27), kernels);
        Assert.DoesNotContain(kernels, k => k.OpType is "Conv" or "Gemm");
    }

    [Theory]
    [InlineData("ort-cpu")]
    [InlineData("qdq")]
    [InlineData("openvino")]
    [InlineData("tensorrt")]
    public void Every_target_keeps_the_masks_and_its_rules(string name)
    {
        string artifact = Path.Combine(_directory.FullName, name + ".onnx");
        TargetDescription target = TargetDescription.Load(name);
        using Model model = Prepared();
        var planner = new QuantizationPlanner(new QuantizationOptions(), target);
        new PassPipeline(new QuantizePass(planner.Plan(model, calibration.Statistics))).Run(model, new PassContext());
        Assert.Empty(TargetCheck.Check(model, target));
        OnnxWriter.Save(model, artifact, new SaveOptions { ExternalData = ExternalDataMode.Never });

        using Teacher teacher = Teacher.Open(Encoder, Decoder);
        using ImageEncoder student = ImageEncoder.Open(artifact);
        EvaluationResult result = new Evaluator(teacher, new EvaluationSettings { LatencyRounds = 0 }).Evaluate(student, ImageSet.Of(Scenes(32, 8)));
        output.WriteLine($"{name}: mask IoU {result.Masks!.MeanIou:0.0000}, embedding SQNR {result.EmbeddingSqnr:0.0} dB, size {result.SizeRatio:0.000}");
        Assert.InRange(result.Masks!.MeanIou, 0.97, 1);
        Assert.InRange(result.SizeRatio!.Value, 0.25, 0.32);
    }

    [Fact]
    public void Artifact_is_rebuilt_bit_for_bit_from_the_cache()
    {
        using Model first = Prepared();
        var planner = new QuantizationPlanner(new QuantizationOptions(), TargetDescription.Load(TargetDescription.Default));
        var cache = new MemoryStream();
        CalibrationCache.Write(calibration.Statistics, cache);
        cache.Position = 0;

        using Model second = Prepared();
        Assert.Equal(Quantized(first, calibration.Statistics), Quantized(second, CalibrationCache.Read(cache, "cache")));

        byte[] Quantized(Model model, CalibrationStatistics seen)
        {
            new PassPipeline(new QuantizePass(planner.Plan(model, seen))).Run(model, new PassContext());
            return OnnxWriter.Serialize(model);
        }
    }

    private static RangeEstimator Estimator(string method) => method switch
    {
        "minmax" => new MinMaxEstimator(),
        "percentile" => new PercentileEstimator(),
        _ => new MseEstimator(),
    };

    private static Model Prepared()
    {
        Model model = OnnxReader.Read(Encoder);
        new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.PrepareQuantization]).Run(model, new PassContext { Evaluator = new OnnxConstantEvaluator() });
        return model;
    }

    private static IEnumerable<string> Scenes(int first, int count) =>
        Enumerable.Range(first, count).Select(i => Path.Combine(SkeletonModels.RepositoryRoot, "calibration", $"scene_{i:000}.jpg"));

    /// <summary>Runs the encoder on the calibration pictures once for all tests: what is observed does not depend on the method.</summary>
    public sealed class Calibration
    {
        public Calibration()
        {
            using Model model = Prepared();
            // Asks for what any target asks for: every convolution quantizes its input and its output.
            var planner = new QuantizationPlanner(new QuantizationOptions(), TargetDescription.Load("qdq") with { LastConv = null });
            Value input = model.Graph.Inputs[0];
            using var loader = new ImageLoader(Preprocessing.For(new SessionValue(input.Name, input.ElementType, input.Shape), "encoder"));
            IEnumerable<CalibrationSample> samples = Scenes(0, 32)
                .Select(path => new CalibrationSample(path, new Dictionary<string, RuntimeTensor> { [input.Name] = loader.Load(path).Input }));
            Statistics = new Calibrator().Run(model, planner.RequiredStatistics(model), samples, new CalibrationOrigin("model", "1", "scenes"));
        }

        public CalibrationStatistics Statistics { get; }
    }
}
