using SamCompress.IR;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Inference;

public sealed class KernelReportTests
{
    [Fact]
    public void Finds_the_gemm_that_a_linear_layer_becomes()
    {
        using Model model = Linear(quantized: false);
        KernelReport report = KernelReport.Read(model);
        KernelNode kernel = report.Find(["w"], ["y"])!;
        Assert.Equal("Gemm", kernel.OpType);
        Assert.False(kernel.IsIntegerKernel);
    }

    [Fact]
    public void Finds_the_integer_kernel_of_a_quantized_linear_layer()
    {
        using Model model = Linear(quantized: true);
        KernelReport report = KernelReport.Read(model);
        KernelNode kernel = report.Find(["w", "w_float"], ["y"])!;
        Assert.True(kernel.IsIntegerKernel, kernel.OpType);
        Assert.Contains(report.Counts, c => c.OpType == kernel.OpType && c.Count == 1);
    }

    [Fact]
    public void Finds_nothing_for_a_weight_that_is_not_there()
    {
        using Model model = Linear(quantized: false);
        Assert.Null(KernelReport.Read(model).Find(["nothing"], ["nowhere"]));
    }

    [Fact]
    public void Finds_operators_that_were_written_as_they_run()
    {
        using Model model = Operators();
        KernelReport report = KernelReport.Read(model);
        Assert.Equal(("MatMulIntegerToFloat", true), Kernel("w_quantized", "a"));
        Assert.Equal(("MatMulNBits", true), Kernel("i_quantized", "i"));
        Assert.Equal(("MatMulNBits", false), Kernel("n_quantized", "n"));
        Assert.Equal(("ConvInteger", true), Kernel("k_quantized", "c"));
        Assert.Equal(5, report.Nodes.Count(n => n.IsMultiplication));

        (string, bool) Kernel(string weight, string output) => report.Find([weight], [output]) is { } kernel ? (kernel.OpType, kernel.IsIntegerKernel) : ("none", false);
    }

    [Fact]
    public void Tells_layers_that_share_a_weight_by_their_outputs()
    {
        using Model model = Operators();
        KernelReport report = KernelReport.Read(model);
        Assert.Equal(["a"], report.Find(["w_quantized"], ["a"])!.Outputs);
        Assert.Equal(["b"], report.Find(["w_quantized"], ["b"])!.Outputs);
        Assert.Equal("MatMulIntegerToFloat", report.Find(["w_quantized"], ["elsewhere"])!.OpType);
    }

    /// <summary>Two multiplications of one weight, one of 4 bits in integers and one in floating point, and a convolution of integers.</summary>
    private static Model Operators() => ModelText.Parse("""
        g (float[1,4,32] x, float[1,1,2,2] m) => (float[1,4,2] y, float[1,1,2,2] c)
        <float s = {0.02}, uint8 z = {128}, uint8 center = {128}, int8[32,2] w_quantized = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8,
         1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}, float[2] scales = {0.1, 0.2}, uint8[1,1,1,1] k_quantized = {200}, float[1,1,1] factor = {0.1},
         uint8[2,1,16] n_quantized = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8},
         uint8[2,1,16] i_quantized = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}>
        {
            q = QuantizeLinear (x, s, z)
            a = com.microsoft.MatMulIntegerToFloat (q, w_quantized, s, scales, z)
            h = Relu (x)
            hq = QuantizeLinear (h, s, z)
            b = com.microsoft.MatMulIntegerToFloat (hq, w_quantized, s, scales, z)
            n = com.microsoft.MatMulNBits <K = 32, N = 2, bits = 4, block_size = 32, accuracy_level = 0> (x, n_quantized, scales)
            i = com.microsoft.MatMulNBits <K = 32, N = 2, bits = 4, block_size = 32, accuracy_level = 4> (x, i_quantized, scales)
            y = Sum (a, b, n, i)
            mq = QuantizeLinear (m, s, z)
            sums = ConvInteger (mq, k_quantized, z, center)
            f = Cast <to = 1> (sums)
            c = Mul (f, factor)
        }
        """, opset: 17);

    [Fact]
    public void Removes_its_stage()
    {
        DirectoryInfo stage = Directory.CreateTempSubdirectory("samcompress-tests-");
        using (Model model = Linear(quantized: false))
            KernelReport.Read(model, stageDirectory: stage.FullName);
        Assert.Empty(stage.EnumerateFileSystemInfos());
        stage.Delete();
    }

    /// <summary>[1,4,16] times [16,8] plus a bias; quantized in QDQ form with the bias as [1,1,8], which keeps ONNX Runtime from making a float Gemm of it.</summary>
    private static Model Linear(bool quantized)
    {
        var model = new Model(8, [new OpsetImport("", 17)]);
        Graph graph = model.Graph;
        Value x = graph.AddInput("x", ElementType.Float, Shape.Of(1, 4, 16));
        Value w;
        Value bias;
        if (quantized)
        {
            Value scale = graph.AddInitializer("scale", Tensor.Scalar(0.02f));
            Value zero = graph.AddInitializer("zero", Tensor.FromBytes(ElementType.UInt8, [], [128]));
            Value q = graph.Append("QuantizeLinear", [x, scale, zero], ["x_q"]).Output;
            x = graph.Append("DequantizeLinear", [q, scale, zero], ["x_dq"]).Output;
            w = graph.AddInitializer("w", Tensor.FromBytes(ElementType.Int8, [16, 8], [.. Enumerable.Range(0, 128).Select(i => (byte)i)]));
            Value scales = graph.AddInitializer("w_scale", Tensor.Of([.. Enumerable.Repeat(0.01f, 8)], 8));
            Value zeros = graph.AddInitializer("w_zero", Tensor.FromBytes(ElementType.Int8, [8], new byte[8]));
            w = graph.Append("DequantizeLinear", [w, scales, zeros], ["w_float"], [NodeAttribute.Of("axis", 1)]).Output;
            bias = graph.AddInitializer("b", Tensor.Of(new float[8], 1, 1, 8));
        }
        else
        {
            w = graph.AddInitializer("w", Tensor.Of([.. Enumerable.Range(0, 128).Select(i => (float)i)], 16, 8));
            bias = graph.AddInitializer("b", Tensor.Of(new float[8], 8));
        }

        Value product = graph.Append("MatMul", [x, w], ["product"]).Output;
        Value y = graph.Append("Add", [product, bias], ["y"]).Output;
        y.ElementType = ElementType.Float;
        y.Shape = Shape.Of(1, 4, 8);
        graph.AddOutput(y);
        return model;
    }
}
