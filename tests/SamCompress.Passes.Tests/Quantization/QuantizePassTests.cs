using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class QuantizePassTests
{
    private const string Linear = """
        g (float[1,2,3] X) => (float[1,2,2] Y)
        <float[3,2] W = {1, -1, 0, 0.25, 4, 0.5}, float[2] B = {10, -10}>
        {
            [linear] P = MatMul (X, W)
            Y = Add (P, B)
        }
        """;

    private const string Gemm = """
        g (float[2,3] X) => (float[2,2] Y)
        <float[2,3] W = {1, -1, 0, 0.25, 4, 0.5}, float[2] B = {10, -10}>
        {
            [gemm] Y = Gemm <transB = 1> (X, W, B)
        }
        """;

    private const string Conv = """
        g (float[1,2,2,2] X) => (float[1,2,2,2] Y)
        <float[2,1,1,1] W = {2, -1}, float[2] B = {1, -1}>
        {
            [conv] C = Conv <group = 2> (X, W, B)
            Y = Relu (C)
        }
        """;

    private const string Deconv = """
        g (float[1,2,2,2] X) => (float[1,1,4,4] Y)
        <float[2,1,2,2] W = {1, 2, 3, 4, -4, 3, -2, 1}>
        {
            [up] Y = ConvTranspose <strides = [2, 2]> (X, W)
        }
        """;

    private const string Shared = """
        g (float[1,2,2] X) => (float[1,2,2] Y)
        <float[2,2] V = {1, 2, 3, 4}, float[2,2] W = {4, 3, 2, 1}>
        {
            [a] A = MatMul (X, V)
            [b] B = MatMul (X, W)
            Y = Add (A, B)
        }
        """;

    [Fact]
    public void Linear_gets_a_bias_of_rank_three_and_no_output_quantization() => Snapshot.Match(BeforeAndAfter(Linear));

    [Fact]
    public void Gemm_is_lowered_to_a_multiplication_and_an_addition_with_one_axis_more() => Snapshot.Match(BeforeAndAfter(Gemm));

    [Fact]
    public void Convolution_is_quantized_at_input_output_and_bias() => Snapshot.Match(BeforeAndAfter(Conv));

    [Fact]
    public void Transposed_convolution_is_quantized_at_its_weight_only() => Snapshot.Match(BeforeAndAfter(Deconv));

    [Fact]
    public void Activation_that_two_layers_read_is_quantized_once() => Snapshot.Match(BeforeAndAfter(Shared));

    [Theory]
    [InlineData(Linear, "MatMulIntegerToFloat")]
    [InlineData(Gemm, "MatMulIntegerToFloat")]
    [InlineData(Shared, "MatMulIntegerToFloat")]
    [InlineData(Conv, "QLinearConv")]
    [InlineData(Deconv, "ConvTranspose")]
    public void Runs_in_the_kernel_that_was_planned_and_gives_the_rounded_numbers(string text, string kernel)
    {
        using Model model = ModelText.Parse(text, opset: 17);
        using Model reference = ModelText.Parse(text, opset: 17);
        Quantize(model);
        Assert.Contains(KernelReport.Read(model).Counts, c => c.OpType == kernel);

        float[] input = [0.5f, -1, 0.25f, 1, 0.75f, -0.125f, 0.875f, -0.5f];
        float[] expected = Run(reference, input), actual = Run(model, input);

        // Inputs are rounded to steps of 2/255, weights to 1/127 of the largest of their channel, the output of Conv to 4/255:
        // no output sums more than 4 products of an input of at most 1 and a weight of at most 4.
        for (int i = 0; i < expected.Length; i++)
            Assert.InRange(actual[i] - expected[i], -0.1f, 0.1f);
        Assert.Contains(expected.Zip(actual), p => p.First != p.Second);
    }

    [Fact]
    public void Linear_computes_exactly_what_its_integers_say()
    {
        using Model model = ModelText.Parse(Linear, opset: 17);
        Quantize(model);

        // Q(x) with scale 2/255 and zero point 127 (127.5 of a scale that is rounded up), W with 4/127 (column 0) and 1/127 (column 1).
        float[] input = [0.5f, -1, 0.25f, 1, 0.75f, -0.125f];
        int[,] weight = { { 32, -127 }, { 0, 32 }, { 127, 64 } };
        double scale = 2f / 255;
        float[] actual = Run(model, input);
        for (int row = 0; row < 2; row++)
        {
            for (int column = 0; column < 2; column++)
            {
                double sum = 0;
                for (int k = 0; k < 3; k++)
                    sum += (Math.Clamp(Math.Round(input[(row * 3) + k] / scale) + 127, 0, 255) - 127) * scale * weight[k, column] * (column == 0 ? 4.0 : 1.0) / 127;
                Assert.Equal(sum + (column == 0 ? 10 : -10), actual[(row * 2) + column], 1e-5);
            }
        }
    }

    [Fact]
    public void Says_in_the_metadata_what_it_made()
    {
        using Model model = ModelText.Parse(Linear, opset: 17);
        Quantize(model);
        Assert.Equal("ort-cpu", model.Metadata.Single(m => m.Key == "dev.samcompress.target").Value);
        Assert.Equal("w8a8", model.Metadata.Single(m => m.Key == "dev.samcompress.precision").Value);
    }

    [Fact]
    public void Plan_of_another_model_is_refused()
    {
        using Model model = ModelText.Parse(Linear, opset: 17);
        using Model other = ModelText.Parse(Conv, opset: 17);
        QuantizationPlan plan = PlanFor(model);
        PassContext context = new();
        SamCompressException e = Assert.Throws<SamCompressException>(() => new QuantizePass(plan).Apply(other, context));
        Assert.Equal(FailureKind.InputRejected, e.Kind);
    }

    private static string BeforeAndAfter(string text)
    {
        using Model model = ModelText.Parse(text, opset: 17);
        ShapeInference.Infer(model);
        string before = ModelText.Print(model);
        Quantize(model);
        return $"{before}\n=>\n\n{ModelText.Print(model)}";
    }

    private static void Quantize(Model model)
    {
        QuantizationPlan plan = PlanFor(model);
        new PassPipeline(new QuantizePass(plan)).Run(model, new PassContext());
    }

    /// <summary>Every value lies between -1 and 1, but for the output of Conv between -1 and 3.</summary>
    private static QuantizationPlan PlanFor(Model model)
    {
        var planner = new QuantizationPlanner(new QuantizationOptions { FewestInputs = 1, Estimator = new MinMaxEstimator(), CorrectBias = false }, TargetDescription.Load("ort-cpu"));
        return planner.Plan(model, PlannerStatistics.Of(planner.RequiredStatistics(model), o => (-1, o.Name == "C" ? 3 : 1)));
    }

    private static float[] Run(Model model, float[] input)
    {
        using OnnxSession session = OnnxSession.Open(model);
        long[] shape = session.Inputs[0].Shape!.ToStatic()!;
        using RuntimeTensor x = RuntimeTensor.Of(input[..(int)shape.Aggregate((a, b) => a * b)], shape);
        using RuntimeTensors results = session.Run(new Dictionary<string, RuntimeTensor> { ["X"] = x });
        return results["Y"].ToArray<float>();
    }
}
