using SamCompress.IR;
using SamCompress.Passes.Quantization;
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

    private const string Dense = """
        g (float[1,2,2,2] X) => (float[1,2,2,2] Y)
        <float[2,2,1,1] W = {1, -1, 0.5, 0.25}, float[2] B = {1, 0.5}>
        {
            [conv] C = Conv (X, W, B)
            Y = Relu (C)
        }
        """;

    private const string Wide = """
        g (float[1,2,4] X) => (float[1,2,4] Y)
        <float[4,4] W = {1, -1, 0, 0.25, 1, 0.5, 0.3, 0.1, -0.2, 0.7, 0.9, 0.6, 0.4, -0.3, 0.8, 0.35}, float[4] B = {1, -1, 2, -2}>
        {
            P = MatMul (X, W)
            Y = Add (P, B)
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
    public void Linear_gets_a_bias_of_rank_three_and_no_output_quantization() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(Linear, "qdq"));

    [Fact]
    public void Gemm_is_lowered_to_a_multiplication_and_an_addition_with_one_axis_more() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(Gemm, "qdq"));

    [Fact]
    public void Convolution_is_quantized_at_input_output_and_bias() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(Conv, "qdq"));

    [Fact]
    public void Transposed_convolution_is_quantized_at_its_weight_only() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(Deconv, "qdq"));

    [Fact]
    public void Activation_that_two_layers_read_is_quantized_once() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(Shared, "qdq"));

    [Theory]
    [InlineData("qdq", Linear, "MatMulIntegerToFloat")]
    [InlineData("qdq", Gemm, "MatMulIntegerToFloat")]
    [InlineData("qdq", Shared, "MatMulIntegerToFloat")]
    [InlineData("qdq", Conv, "QLinearConv")]
    [InlineData("qdq", Deconv, "ConvTranspose")]
    [InlineData("ort-cpu", Linear, "MatMulIntegerToFloat")]
    [InlineData("ort-cpu", Gemm, "MatMulIntegerToFloat")]
    [InlineData("ort-cpu", Shared, "MatMulIntegerToFloat")]
    [InlineData("ort-cpu", Dense, "MatMulIntegerToFloat")]
    [InlineData("ort-cpu", Deconv, "ConvTranspose")]
    [InlineData("openvino", Linear, null)]
    [InlineData("openvino", Gemm, null)]
    [InlineData("openvino", Dense, null)]
    [InlineData("tensorrt", Wide, null)]
    public void Runs_in_the_kernel_that_was_planned_and_gives_the_rounded_numbers(string target, string text, string? kernel)
    {
        using Model model = ModelText.Parse(text, opset: 17);
        using Model reference = ModelText.Parse(text, opset: 17);
        QuantizeCheck.Quantize(model, target);
        if (kernel is not null)
            Assert.Contains(KernelReport.Read(model).Counts, c => c.OpType == kernel);

        float[] input = [0.5f, -1, 0.25f, 1, 0.75f, -0.125f, 0.875f, -0.5f];
        float[] expected = QuantizeCheck.Run(reference, input), actual = QuantizeCheck.Run(model, input);

        // Inputs are rounded to steps of 2/255, weights to 1/127 of the largest of their channel, the output of Conv to 4/255:
        // no output sums more than 4 products of an input of at most 1 and a weight of at most 4.
        for (int i = 0; i < expected.Length; i++)
            Assert.InRange(actual[i] - expected[i], -0.1f, 0.1f);
        Assert.Contains(expected.Zip(actual), p => p.First != p.Second);
    }

    [Theory]
    [InlineData("qdq")]
    [InlineData("ort-cpu")]
    [InlineData("openvino")]
    public void Linear_computes_exactly_what_its_integers_say(string target)
    {
        using Model model = ModelText.Parse(Linear, opset: 17);
        QuantizeCheck.Quantize(model, target);

        // Q(x) with scale 2/255 and zero point 127 (127.5 of a scale that is rounded up), W with 4/127 (column 0) and 1/127 (column 1).
        float[] input = [0.5f, -1, 0.25f, 1, 0.75f, -0.125f];
        int[,] weight = { { 32, -127 }, { 0, 32 }, { 127, 64 } };
        double scale = 2f / 255;
        float[] actual = QuantizeCheck.Run(model, input);
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
        QuantizeCheck.Quantize(model, "ort-cpu", p => p with { Precision = "w6a6" });
        Assert.Equal("ort-cpu", model.Metadata.Single(m => m.Key == "dev.samcompress.target").Value);
        Assert.Equal("w6a6", model.Metadata.Single(m => m.Key == "dev.samcompress.precision").Value);
    }

    [Fact]
    public void Imports_the_contributed_operators_where_it_writes_some()
    {
        using Model contributed = ModelText.Parse($"<ir_version: 8, opset_import: [\"\": 17]>\n{Linear}");
        QuantizeCheck.Quantize(contributed, "ort-cpu");
        Assert.Equal(1, contributed.Opset(OperatorDomain.Microsoft));

        using Model standard = ModelText.Parse($"<ir_version: 8, opset_import: [\"\": 17]>\n{Linear}");
        QuantizeCheck.Quantize(standard, "qdq");
        Assert.Equal(0, standard.Opset(OperatorDomain.Microsoft));
    }

    [Fact]
    public void Layers_of_a_plan_may_come_in_any_order()
    {
        using Model forward = ModelText.Parse(Shared, opset: 17);
        using Model backward = ModelText.Parse(Shared, opset: 17);
        QuantizeCheck.Quantize(forward, "ort-cpu");
        QuantizeCheck.Quantize(backward, "ort-cpu", p => p with { Layers = [.. p.Layers.Reverse()] });
        Assert.Equal(ModelText.Print(forward), ModelText.Print(backward));
    }

    [Fact]
    public void Plan_of_another_model_is_refused()
    {
        using Model model = ModelText.Parse(Linear, opset: 17);
        using Model other = ModelText.Parse(Conv, opset: 17);
        QuantizationPlan plan = QuantizeCheck.Plan(model, "qdq");
        PassContext context = new();
        SamCompressException e = Assert.Throws<SamCompressException>(() => new QuantizePass(plan).Apply(other, context));
        Assert.Equal(FailureKind.InputRejected, e.Kind);
    }

    [Fact]
    public void Plan_without_one_of_its_activations_is_refused()
    {
        using Model model = ModelText.Parse(Linear, opset: 17);
        QuantizationPlan plan = QuantizeCheck.Plan(model, "qdq") with { Activations = [] };
        SamCompressException e = Assert.Throws<SamCompressException>(() => new QuantizePass(plan).Apply(model, new PassContext()));
        Assert.Contains("holds nothing about the activation 'X'", e.Message, StringComparison.Ordinal);
    }
}
