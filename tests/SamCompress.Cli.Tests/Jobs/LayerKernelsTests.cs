using SamCompress.Cli.Jobs;
using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Jobs;

public sealed class LayerKernelsTests
{
    private const string Text = """
        g (float[1,8,16] X, float[1,2,6,6] M) => (float[1,8,8] Y, float[1,2,6,6] C)
        <float[16,16] W = {{256}}, float[16] B = {{16}}, float[16,16] V = {{256}}, float[16,8] N = {{128}}, float[2,2,3,3] K = {{36}}>
        {
            [first] P = MatMul (X, W)
            H = Add (P, B)
            [second] Q = MatMul (H, V)
            T = Transpose <perm = [0, 2, 1]> (H)
            [product] R = MatMul (Q, T)
            S = MatMul (R, H)
            [four] Y = MatMul (S, N)
            [conv] C = Conv <pads = [1, 1, 1, 1]> (M, K)
        }
        """;

    [Theory]
    [InlineData(LayerForm.IntegerOperator)]
    [InlineData(LayerForm.Qdq)]
    public void Kernel_of_every_form_is_found(LayerForm form)
    {
        string text = Text;
        foreach (int count in new[] { 256, 128, 36, 16 })
            text = text.Replace($"{{{{{count}}}}}", "{" + string.Join(", ", Enumerable.Range(0, count).Select(i => FormattableString.Invariant($"{(i * 37 % 101) - 50}"))) + "}", StringComparison.Ordinal);
        using Model model = ModelText.Parse(text, opset: 21);
        IR.Analysis.ShapeInference.Infer(model);
        var grid = new QuantizationGrid(0.1f, 128, 0, 255);
        QuantizationPlan plan = new()
        {
            Target = "test",
            Activations = [.. new[] { "H", "M", "Q", "S", "T", "X" }.Select(v => new ActivationPlan(v, ElementType.UInt8, grid, false, "given"))],
            Layers =
            [
                Layer("first", "P", "X", "W", 16),
                Layer("second", "Q", "H", "V", 16) with { Execution = LayerExecution.Float },
                Layer("product", "R", "Q", "", 0) with { Kind = LayerKind.AttentionMatMul, SecondInput = "T" },
                Layer("four", "Y", "S", "N", 8) with { WeightBlock = 16, WeightHighest = 7, Execution = form == LayerForm.Qdq ? LayerExecution.WeightOnly : LayerExecution.Integer },
                Layer("conv", "C", "M", "K", 2) with { Kind = LayerKind.Conv, OutputGrids = form == LayerForm.Qdq ? [grid, grid] : [] },
            ],
            Diagnostics = [],
        };
        new PassPipeline(new QuantizePass(plan)).Run(model, new PassContext());
        IReadOnlyList<ReportedLayer> report = LayerKernels.Report(plan, KernelReport.Read(model));
        Assert.Equal(
            [("MatMulIntegerToFloat", true), ("MatMul", false), ("MatMulIntegerToFloat", true), ("MatMulNBits", true), (form == LayerForm.Qdq ? "QLinearConv" : "MatMulIntegerToFloat", true)],
            report.Select(l => (l.Kernel, l.IntegerKernel)));
        Assert.All(report, l => Assert.Null(l.Fallback));

        LayerPlan Layer(string name, string output, string input, string weight, int channels) => new()
        {
            Name = name,
            NodeOutput = output,
            Kind = LayerKind.Linear,
            Execution = LayerExecution.Integer,
            Form = form,
            Why = "given",
            Input = input,
            WeightName = weight,
            WeightHighest = 127,
            WeightScales = [.. Enumerable.Repeat(1f, channels)],
            Bias = name == "first" ? new float[16] : null,
            BiasRank = 3,
        };
    }
}
