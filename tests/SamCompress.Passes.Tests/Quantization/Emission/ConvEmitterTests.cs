using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization.Emission;

public sealed class ConvEmitterTests
{
    private const string TwoConvolutions = """
        g (float[1,2,2,2] X) => (float[1,2,2,2] Y)
        <float[2,2,1,1] W = {1, -1, 0.5, 0.25}, float[2] B = {1, 0.5}, float[2,2,1,1] V = {1, 0, 0, 1}>
        {
            [conv] C = Conv (X, W, B)
            R = Relu (C)
            [last] Y = Conv (R, V)
        }
        """;

    private const string Residual = """
        g (float[1,2,2,2] X) => (float[1,2,2,2] Y)
        <float[2,2,1,1] W = {1, -1, 0.5, 0.25}, float[2,2,1,1] V = {1, 0.5, 0.25, 1}, float[2,2,1,1] U = {1, 0, 0, 1}>
        {
            A = Conv (X, W)
            D = Conv (X, V)
            S = Add (A, D)
            Y = Conv (S, U)
        }
        """;

    [Fact]
    public void Output_has_a_scale_for_each_channel() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(TwoConvolutions, "channels"));

    [Fact]
    public void Patches_are_multiplied_and_give_float() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(
        """
        g (float[1,2,4,5] X) => (float[1,2,2,5] Y)
        <float[2,2,2,1] W = {1, -1, 0.5, 0.25, 0.1, 0.2, 0.3, 0.4}, float[2] B = {1, 0.5}>
        {
            [conv] Y = Conv <pads = [1, 0, 0, 0], strides = [2, 1]> (X, W, B)
        }
        """,
        "ort-cpu"));

    [Fact]
    public void Output_stays_float_and_so_does_the_bias_where_kernels_need_no_more() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(TwoConvolutions, "openvino"));

    [Fact]
    public void Each_channel_is_rounded_to_its_own_scale()
    {
        using Model model = ModelText.Parse("""
            g (float[1,2,1,2] X) => (float[1,2,1,2] Y)
            <float[2,2,1,1] W = {127, 0, 0, 1.27}, float[2] B = {0, 1}>
            {
                C = Conv (X, W, B)
                Y = Identity (C)
            }
            """, opset: 17);
        QuantizeCheck.Quantize(model, "channels", p => p
            .WithActivations(a => a with { Grid = new QuantizationGrid(0.01f, 100, 0, 255) })
            .With(l => l with { OutputGrids = [new QuantizationGrid(1, 100, 0, 255), new QuantizationGrid(0.01f, 3, 0, 255)] }));
        Assert.Contains(KernelReport.Read(model).Counts, c => c.OpType == "QLinearConv");

        // Weights are exact: 127 steps of 1 and of 0.01. Inputs are steps of 0.01.
        // Channel 0: 0.5 * 127 = 63.5 steps of 1, even 64; -0.99 * 127 = -125.73 under the lowest value, -100.
        // Channel 1: 0.21 * 1.27 + 1 = 1.2667, 126.67 steps of 0.01, 127; -0.7 * 1.27 + 1 = 0.111, 11.1 steps, 11.
        float[] actual = QuantizeCheck.Run(model, [0.5f, -0.99f, 0.21f, -0.7f]);
        Assert.Equal([64, -100, 1.27, 0.11], actual.Select(a => Math.Round(a, 5)));
    }

    [Fact]
    public void Scales_of_channels_do_not_reach_the_kernels_that_take_one_scale()
    {
        // ONNX Runtime would fuse two DequantizeLinear, Add and QuantizeLinear to QLinearAdd, and refuse the model for their scales.
        using Model model = ModelText.Parse(Residual, opset: 17);
        using Model reference = ModelText.Parse(Residual, opset: 17);
        QuantizeCheck.Quantize(model, "channels");
        Assert.Empty(TargetCheck.Check(model, QuantizeCheck.Target("channels")));
        IReadOnlyList<(string OpType, int Count)> kernels = KernelReport.Read(model).Counts;
        Assert.Contains(("QLinearConv", 3), kernels);
        Assert.DoesNotContain(kernels, k => k.OpType == "QLinearAdd");

        // Outputs, which are given as -1 to 1, are rounded to 1/127 of it, and inputs and weights as finely.
        float[] input = [0.5f, -0.25f, 0.25f, 0.3f, 0.125f, -0.125f, 0.2f, -0.5f];
        foreach ((float expected, float actual) in QuantizeCheck.Run(reference, input).Zip(QuantizeCheck.Run(model, input)))
            Assert.InRange(actual - expected, -0.06f, 0.06f);
    }

    [Theory]
    [InlineData("kernel_shape = [3, 3], pads = [1, 1, 1, 1]", "3,3", 1)]
    [InlineData("pads = [0, 1, 2, 1], strides = [2, 1]", "3,2", 1)]
    [InlineData("strides = [3, 2], dilations = [2, 1]", "2,3", 1)]
    [InlineData("strides = [2, 2]", "1,1", 1)]
    [InlineData("pads = [1, 1, 1, 1]", "3,3", 2)]
    [InlineData("auto_pad = \"SAME_UPPER\", strides = [2, 2]", "3,3", 1)]
    public void Integer_operators_multiply_the_same_integers_as_standard_ones(string attributes, string kernel, int groups)
    {
        int[] size = [.. kernel.Split(',').Select(int.Parse)];
        string weights = string.Join(", ", Enumerable.Range(0, 4 * 4 / groups * size[0] * size[1]).Select(i => FormattableString.Invariant($"{((i * 37) % 101) - 50}")));
        string text = $$"""
            g (float[1,4,7,6] X) => (float[N,M,H,L] Y)
            <float[4,{{4 / groups}},{{kernel}}] W = {{{weights}}}, float[4] B = {1, -20, 3, 40}>
            {
                [conv] Y = Conv <group = {{groups}}, {{attributes}}> (X, W, B)
            }
            """;
        using Model operators = ModelText.Parse(text, opset: 17);
        using Model standard = ModelText.Parse(text, opset: 17);
        QuantizeCheck.Quantize(operators, "ort-cpu", p => p.With(l => l with { Form = LayerForm.IntegerOperator, OutputGrids = [] }));
        QuantizeCheck.Quantize(standard, "openvino");
        Assert.Empty(TargetCheck.Check(operators, TargetDescription.Load("ort-cpu")));
        bool isPatches = groups == 1 && !attributes.StartsWith("auto_pad", StringComparison.Ordinal);
        Assert.Contains(KernelReport.Read(operators).Counts, c => c.OpType == (isPatches ? "MatMulIntegerToFloat" : "ConvInteger"));

        // The sums of integers are exact; they are scaled in float.
        NumericAssert.Close(standard, operators, 1e-5);
    }

    [Fact]
    public void Map_of_unknown_size_is_convolved_as_integers() => Snapshot.Match(QuantizeCheck.BeforeAndAfter(
        """
        g (float[1,1,H,L] X) => (float[1,2,H,L] Y)
        <float[2,1,1,1] W = {1, -2}, float[2] B = {1, 0.5}>
        {
            [conv] Y = Conv (X, W, B)
        }
        """,
        "ort-cpu"));

    [Fact]
    public void Two_ranges_are_refused()
    {
        using Model model = ModelText.Parse(TwoConvolutions, opset: 17);
        SamCompressException e = Assert.Throws<SamCompressException>(() => QuantizeCheck.Quantize(
            model, "ort-cpu", p => p.WithActivations(a => a with { Twin = new TwinRange(0, new QuantizationGrid(0.1f, 255, 0, 255)) })));
        Assert.Equal(FailureKind.InputRejected, e.Kind);
    }
}
