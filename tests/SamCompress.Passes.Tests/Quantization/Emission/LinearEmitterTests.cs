using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization.Emission;

public sealed class LinearEmitterTests
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

    private const string Unbiased = """
        g (float[1,2] X) => (float[1,2] Y)
        <float[2,2] W = {127, 0, 0, 127}>
        {
            [m] Y = MatMul (X, W)
        }
        """;

    /// <summary>18 inputs: one block of 16 and two inputs of a second one. Column 0 holds -7 to 7 and on from -7, column 1 zeros but for 5 and -6.</summary>
    private const string FewBits = """
        g (float[1,18] X) => (float[1,2] Y)
        <float[18,2] W = {-7, 5, -6, 0, -5, 0, -4, 0, -3, 0, -2, 0, -1, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, -7, 0, -6, 0, -5, -6}, float[2] B = {100, 200}>
        {
            [m] P = MatMul (X, W)
            Y = Add (P, B)
        }
        """;

    private const string FewBitsTransposed = """
        g (float[1,18] X) => (float[1,2] Y)
        <float[2,18] W = {-7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, -7, -6, -5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -6}, float[2] B = {100, 200}>
        {
            [m] Y = Gemm <transB = 1> (X, W, B)
        }
        """;

    [Fact]
    public void Linear_becomes_the_integer_operator_with_its_bias() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(Linear, "ort-cpu"));

    [Fact]
    public void Gemm_becomes_the_integer_operator_and_needs_no_axis_more() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(Gemm, "ort-cpu"));

    [Fact]
    public void Output_of_the_graph_keeps_its_name_and_type()
    {
        using Model model = ModelText.Parse(Unbiased, opset: 17);
        QuantizeCheck.Quantize(model, "ort-cpu");
        Value output = Assert.Single(model.Graph.Outputs);
        Assert.Equal(("Y", "MatMulIntegerToFloat", "m"), (output.Name, output.Producer!.OpType, output.Producer.Name));
        Assert.Equal(5, output.Producer.Inputs.Count);
    }

    [Theory]
    [InlineData(Linear)]
    [InlineData(Gemm)]
    public void Both_forms_of_a_layer_multiply_the_same_integers(string text)
    {
        using Model operators = ModelText.Parse(text, opset: 17);
        using Model standard = ModelText.Parse(text, opset: 17);
        QuantizeCheck.Quantize(operators, "ort-cpu");
        QuantizeCheck.Quantize(standard, "qdq");

        // The bias is added to float in either, in one kernel or behind it.
        NumericAssert.Close(standard, operators, 1e-6);
    }

    [Fact]
    public void Value_that_a_convolution_gave_quantized_is_not_quantized_again()
    {
        using Model model = ModelText.Parse("""
            g (float[1,2,2,2] X) => (float[1,2,2,2] Y)
            <float[2,2,1,1] K = {1, 2, 3, 4}, float[2,2] W = {1, 2, 3, 4}>
            {
                C = Conv (X, K)
                Y = MatMul (C, W)
            }
            """, opset: 17);
        QuantizeCheck.Quantize(model, "qdq", p => p.With(l => l.Kind == LayerKind.Linear ? l with { Form = LayerForm.IntegerOperator } : l));
        Node linear = model.Graph.Outputs[0].Producer!;
        Assert.Equal(("MatMulIntegerToFloat", "QuantizeLinear", "Conv"), (linear.OpType, linear.Inputs[0]!.Producer!.OpType, linear.Inputs[0]!.Producer!.Inputs[0]!.Producer!.OpType));
        Assert.Equal(3, model.Graph.Nodes.Count(n => n.OpType == "DequantizeLinear") + model.Graph.Nodes.Count(n => n.OpType == "Conv"));
        QuantizeCheck.Run(model, [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    [Theory]
    [InlineData("ort-cpu")]
    [InlineData("qdq")]
    public void Six_bits_saturate_at_the_bounds_of_their_grid(string target)
    {
        using Model model = ModelText.Parse(Unbiased, opset: 17);
        QuantizeCheck.Quantize(model, target, SixBits);

        // -1 .. 1 in 64 levels: scale 2/63, zero point 31 (31.5 of a scale that is rounded up), so that the bounds are -31 and 32 steps.
        Assert.Equal(-62f / 63, Constant(model, "X_min"), 1e-6f);
        Assert.Equal(64f / 63, Constant(model, "X_max"), 1e-6f);
        Assert.Equal([31, 0, 0, 31], model.Graph.Initializers.Single(i => i.Name == "W_quantized").Constant!.ToInt64s());
        float[] actual = QuantizeCheck.Run(model, [-100, 100]);
        Assert.Equal(-62.0 / 63 * 127, actual[0], 1e-3);
        Assert.Equal(64.0 / 63 * 127, actual[1], 1e-3);

        static QuantizationPlan SixBits(QuantizationPlan plan) => plan
            .WithActivations(a => a with { Grid = QuantizationGrid.Affine(-1, 1, 0, 63) })
            .With(l => l with { WeightHighest = 31, WeightScales = [127f / 31, 127f / 31] });
    }

    [Fact]
    public void Six_bits_are_clipped_before_they_are_quantized() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(
        Linear, "qdq", change: p => p.WithActivations(a => a with { Grid = QuantizationGrid.Affine(-1, 1, 0, 63) })));

    [Fact]
    public void Symmetric_eight_bits_are_not_clipped()
    {
        using Model model = ModelText.Parse("g (float[1,4] X) => (float[1,4] Y) <float[4,4] W = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}> { Y = MatMul (X, W) }", opset: 17);
        QuantizeCheck.Quantize(model, "tensorrt");
        Assert.DoesNotContain(model.Graph.Nodes, n => n.OpType == "Clip");
    }

    [Theory]
    [InlineData("ort-cpu")]
    [InlineData("qdq")]
    public void Weights_rounded_by_the_plan_are_stored_as_they_are(string target)
    {
        using Model model = ModelText.Parse(Gemm, opset: 17);
        QuantizeCheck.Quantize(model, target, p => p.With(l => l with { WeightCodes = new sbyte[] { 1, 2, 3, 4, 5, 6 } }));

        // The stored weight is [2,3], the one that is multiplied [3,2].
        Assert.Equal([1, 4, 2, 5, 3, 6], model.Graph.Initializers.Single(i => i.Name == "W_quantized").Constant!.ToInt64s());
    }

    [Theory]
    [InlineData("ort-cpu")]
    [InlineData("qdq")]
    public void Twin_ranges_give_values_on_either_side_of_the_threshold_their_own_scale(string target)
    {
        using Model model = ModelText.Parse(Unbiased, opset: 17);
        QuantizeCheck.Quantize(model, target, p => Twin(p, 0, 1f / 255, 0.17f / 255));

        // The weight is 127 times the unit matrix. -0.1235 is 185.25 steps of 0.17/255, 185; 0.299 is 76.245 steps of 1/255, 76.
        float[] actual = QuantizeCheck.Run(model, [-0.1235f, 0.299f]);
        Assert.Equal(-185 * 0.17 / 255 * 127, actual[0], 1e-4);
        Assert.Equal(76.0 / 255 * 127, actual[1], 1e-4);
        Assert.Equal(2, KernelReport.Read(model).Counts.Single(c => c.OpType == "MatMulIntegerToFloat").Count);
    }

    [Theory]
    [InlineData("ort-cpu")]
    [InlineData("qdq")]
    public void Twin_ranges_with_a_threshold_add_what_exceeds_it(string target)
    {
        using Model model = ModelText.Parse(Unbiased, opset: 17);
        QuantizeCheck.Quantize(model, target, p => Twin(p, 0.25f, 0.75f / 255, 0.25f / 255));

        // 0.1 is 102 steps of 0.25/255; 0.6 is the threshold and 0.35 more, 119 steps of 0.75/255.
        float[] actual = QuantizeCheck.Run(model, [0.1f, 0.6f]);
        Assert.Equal(102 * 0.25 / 255 * 127, actual[0], 1e-4);
        Assert.Equal((0.25 + (119 * 0.75 / 255)) * 127, actual[1], 1e-4);
    }

    [Fact]
    public void Twin_ranges_of_a_matrix_keep_integer_kernels_in_standard_operators() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(Gemm, "qdq", change: p => Twin(p, 0, 1f / 255, 0.17f / 255)));

    [Fact]
    public void Twin_ranges_are_two_integer_operators_and_one_bias() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(Linear, "ort-cpu", change: p => Twin(p, 0.25f, 0.75f / 255, 0.25f / 255)));

    [Theory]
    [InlineData(FewBits)]
    [InlineData(FewBitsTransposed)]
    public void Few_bits_are_packed_as_the_operator_reads_them(string text)
    {
        using Model model = ModelText.Parse(text, opset: 17);
        QuantizeCheck.Quantize(model, "ort-cpu", FourBits);
        Value weight = model.Graph.Initializers.Single(i => i.Name == "W_quantized");
        Assert.Equal<long>([2, 2, 8], weight.Constant!.Dimensions);

        // Two inputs a byte, the first in the low bits, 8 for zero. Scales are 1, but 0.5 for the second block of column 0, which doubles its codes and saturates them.
        byte[] bytes = weight.Constant.ToArray<byte>();
        Assert.Equal([0x21, 0x43, 0x65, 0x87, 0xA9, 0xCB, 0xED, 0x1F], bytes[..8]);
        Assert.Equal([0x11, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88], bytes[8..16]);
        Assert.Equal([0x8D, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88], bytes[16..24]);
        Assert.Equal([0x28, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88], bytes[24..]);
    }

    [Theory]
    [InlineData(FewBits, "ort-cpu", LayerExecution.WeightOnly, 17, 0)]
    [InlineData(FewBits, "ort-cpu", LayerExecution.Integer, 17, 4)]
    [InlineData(FewBitsTransposed, "ort-cpu", LayerExecution.WeightOnly, 13, 0)]
    [InlineData(FewBits, "qdq", LayerExecution.WeightOnly, 21, null)]
    [InlineData(FewBits, "qdq", LayerExecution.Integer, 21, null)]
    [InlineData(FewBitsTransposed, "qdq", LayerExecution.WeightOnly, 21, null)]
    [InlineData(FewBitsTransposed, "openvino", LayerExecution.WeightOnly, 21, null)]
    public void Few_bits_compute_with_the_scale_of_their_block(string text, string target, LayerExecution execution, int opset, int? accuracyLevel)
    {
        using Model model = ModelText.Parse(text, opset);
        QuantizeCheck.Quantize(model, target, p => FourBits(p).With(l => l with { Execution = execution }));
        Assert.Empty(TargetCheck.Check(model, TargetDescription.Load(target)));
        float[] input = [.. Enumerable.Range(0, 18).Select(i => (i - 9) / 16f)];
        double first = 100, second = 200 + (5 * input[0]) - (6 * input[17]);
        for (int k = 0; k < 18; k++)
            first += input[k] * (k < 16 ? (k % 15) - 7 : -7 * 0.5);
        float[] actual = QuantizeCheck.Run(model, input);

        // Activations of 8 bits are wrong by up to 1/255 each, and meet weights of 7 at most. ONNX Runtime makes MatMulNBits of level 4 of the standard operators.
        double tolerance = accuracyLevel != 0 ? 18 * 7.0 / 255 : 1e-4;
        Assert.Equal(first, actual[0], tolerance);
        Assert.Equal(second, actual[1], tolerance);
        if (accuracyLevel is { } level)
            Assert.Equal(level, model.Graph.Nodes.Single(n => n.OpType == "MatMulNBits").GetInt("accuracy_level", -1));
        else
            Assert.Equal(ElementType.Int4, model.Graph.Initializers.Single(i => i.Name == "W_quantized").ElementType);
    }

    [Fact]
    public void Few_bits_in_standard_operators() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(FewBitsTransposed, "qdq", 21, p => FourBits(p)));

    [Fact]
    public void Few_bits_in_standard_operators_need_the_opset_that_has_them()
    {
        using Model model = ModelText.Parse(FewBits, opset: 19);
        QuantizationPlan plan = FourBits(QuantizeCheck.Plan(model, "qdq"));
        SamCompressException e = Assert.Throws<SamCompressException>(() => new PassPipeline(new QuantizePass(plan)).Run(model, new PassContext()));
        Assert.Equal(FailureKind.Unsupported, e.Kind);
        Assert.Equal("'m' cannot have a 4-bit weight: opset 19 has no 4-bit types, opset 21 has", e.Message);
    }

    [Fact]
    public void Weight_alone_of_a_transposed_gemm_is_multiplied_the_right_way_round()
    {
        using Model model = ModelText.Parse(Gemm, opset: 17);
        using Model reference = ModelText.Parse(Gemm, opset: 17);
        QuantizeCheck.Quantize(model, "qdq", p => p.With(l => l with { Execution = LayerExecution.WeightOnly, AddsAxis = false }));

        // Of a weight of at most 4, each rounded to 1/127 of it at most, and 3 inputs of at most 1 against a bias of 10.
        NumericAssert.Close(reference, model, 0.01);
    }

    private static QuantizationPlan FourBits(QuantizationPlan plan) => plan.With(l => l with
    {
        Execution = LayerExecution.WeightOnly,
        WeightBlock = 16,
        WeightHighest = 7,
        WeightScales = [1, 0.5f, 1, 1],
        AddsAxis = false,
    });

    private static QuantizationPlan Twin(QuantizationPlan plan, float threshold, float above, float below) => plan.WithActivations(a => a with
    {
        Grid = new QuantizationGrid(above, 0, 0, 255),
        Twin = new TwinRange(threshold, threshold == 0 ? new QuantizationGrid(below, 255, 0, 255) : new QuantizationGrid(below, 0, 0, 255)),
    });

    private static float Constant(Model model, string name) => (float)model.Graph.Initializers.Single(i => i.Name == name).Constant!.ScalarOrNull()!.Value;
}
