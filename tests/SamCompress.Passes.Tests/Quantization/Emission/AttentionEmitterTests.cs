using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization.Emission;

public sealed class AttentionEmitterTests
{
    private const string Attention = """
        g (float[2,4,3] Q, float[2,3,4] K, float[2,4,3] V) => (float[2,4,3] Y)
        {
            [logits] L = MatMul (Q, K)
            P = Softmax (L)
            [values] Y = MatMul (P, V)
        }
        """;

    [Theory]
    [InlineData(LayerForm.Qdq)]
    [InlineData(LayerForm.IntegerOperator)]
    public void Both_products_run_as_integers(LayerForm form)
    {
        using Model model = ModelText.Parse(Attention, opset: 17);
        using Model reference = ModelText.Parse(Attention, opset: 17);
        new PassPipeline(new QuantizePass(Plan(form, twin: null))).Run(model, new PassContext());
        Assert.Contains(("MatMulIntegerToFloat", 2), KernelReport.Read(model).Counts);

        // Logits sum three products whose factors are wrong by 1/255 at most, and values are as coarse.
        float[][] inputs = [Values(24), Values(24), Values(24)];
        foreach ((float expected, float actual) in QuantizeCheck.Run(reference, inputs).Zip(QuantizeCheck.Run(model, inputs)))
            Assert.InRange(actual - expected, -0.03f, 0.03f);
    }

    [Theory]
    [InlineData(LayerForm.Qdq)]
    [InlineData(LayerForm.IntegerOperator)]
    public void Probabilities_can_have_two_ranges(LayerForm form)
    {
        using Model model = ModelText.Parse("g (float[1,1,2] X, float[1,2,2] V) => (float[1,1,2] Y) { [values] Y = MatMul (X, V) }", opset: 17);
        var plan = new QuantizationPlan
        {
            Target = "test",
            Activations = [Activation("V", new QuantizationGrid(1f / 127, 128, 0, 255), null), Activation("X", new QuantizationGrid(0.75f / 255, 0, 0, 255), new TwinRange(0.25f, new QuantizationGrid(0.25f / 255, 0, 0, 255)))],
            Layers = [Product("values", "Y", "X", "V", form)],
            Diagnostics = [],
        };
        new PassPipeline(new QuantizePass(plan)).Run(model, new PassContext());

        // 0.1 is 102 steps of 0.25/255; 0.6 is the threshold and 119 steps of 0.75/255.
        float[] actual = QuantizeCheck.Run(model, [0.1f, 0.6f], [1, 0, 0, 1]);
        Assert.Equal(102 * 0.25 / 255, actual[0], 1e-6);
        Assert.Equal(0.25 + (119 * 0.75 / 255), actual[1], 1e-6);
    }

    [Fact]
    public void Standard_operators() => Snapshot.Match(BeforeAndAfter(Plan(LayerForm.Qdq, null)));

    [Fact]
    public void Integer_operators_with_two_ranges_of_probabilities() =>
        Snapshot.Match(BeforeAndAfter(Plan(LayerForm.IntegerOperator, new TwinRange(0.25f, new QuantizationGrid(0.25f / 255, 0, 0, 255)))));

    [Fact]
    public void Two_ranges_of_the_second_factor_are_refused()
    {
        using Model model = ModelText.Parse(Attention, opset: 17);
        QuantizationPlan plan = Plan(LayerForm.Qdq, null).WithActivations(a => a.Value == "K" ? a with { Twin = new TwinRange(0, a.Grid) } : a);
        Assert.Equal(FailureKind.InputRejected, Assert.Throws<SamCompressException>(() => new QuantizePass(plan).Apply(model, new PassContext())).Kind);
    }

    private static string BeforeAndAfter(QuantizationPlan plan)
    {
        using Model model = ModelText.Parse(Attention, opset: 17);
        IR.Analysis.ShapeInference.Infer(model);
        string before = ModelText.Print(model);
        new PassPipeline(new QuantizePass(plan)).Run(model, new PassContext());
        return $"{before}\n=>\n\n{ModelText.Print(model)}";
    }

    private static QuantizationPlan Plan(LayerForm form, TwinRange? twin)
    {
        var grid = new QuantizationGrid(2f / 255, 128, 0, 255);
        return new QuantizationPlan
        {
            Target = "test",
            Activations = [Activation("K", grid, null), Activation("P", new QuantizationGrid(1f / 255, 0, 0, 255), twin), Activation("Q", grid, null), Activation("V", grid, null)],
            Layers = [Product("logits", "L", "Q", "K", form), Product("values", "Y", "P", "V", form)],
            Diagnostics = [],
        };
    }

    private static ActivationPlan Activation(string value, QuantizationGrid grid, TwinRange? twin) => new(value, ElementType.UInt8, grid, false, "given") { Twin = twin };

    private static LayerPlan Product(string name, string output, string left, string right, LayerForm form) => new()
    {
        Name = name,
        NodeOutput = output,
        Kind = LayerKind.AttentionMatMul,
        Execution = LayerExecution.Integer,
        Form = form,
        Why = "given",
        Input = left,
        SecondInput = right,
        WeightName = "",
    };

    private static float[] Values(int count) => [.. Enumerable.Range(0, count).Select(i => ((i * 29 % 41) - 20) / 20f)];
}
