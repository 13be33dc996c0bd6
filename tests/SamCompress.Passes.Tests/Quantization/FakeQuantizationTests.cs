using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization;

/// <summary>
/// The loss is the mean of (y - t)^2 with t = y - 1, so that its gradient is 2 / n for each of the n elements of y, which is taken out here, and that of a weight what it is multiplied by: x as it was
/// rounded, straight through its own rounding, and nothing where it saturates.
/// </summary>
public sealed class FakeQuantizationTests
{
    private static readonly QuantizationGrid Halves = new(0.5f, 128, 0, 255);

    /// <summary>x = {1.26, -0.4} becomes {1.5, -0.5}; the bounds of the columns are 3 * 0.5 and 3 * 0.1.</summary>
    [Fact]
    public void A_linear_is_rounded_and_its_gradient_goes_straight_through()
    {
        (float[] y, float[] gradient) = Learn(
            "g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {0.3, -0.9, 2, 0.24}> { y = MatMul (x, w) }",
            Layer(LayerKind.Linear) with { WeightHighest = 3, WeightScales = [0.5f, 0.1f] },
            [new ActivationPlan("x", ElementType.UInt8, Halves, AtProducer: false, "test")],
            [1.26f, -0.4f]);

        // The rounded weight is {0.5, -0.3, 1.5, 0.2}: -0.9 and 2 saturate.
        Close([(1.5 * 0.5) - (0.5 * 1.5), (1.5 * -0.3) - (0.5 * 0.2)], y);
        Close([1.5, 0, 0, -0.5], gradient);
    }

    /// <summary>Of 6 bits in an 8-bit type: the input is cut at 31 * 0.5 before it is quantized.</summary>
    [Fact]
    public void An_input_of_few_bits_saturates_at_its_own_bounds()
    {
        (float[] y, float[] gradient) = Learn(
            "g (float[1,2] x) => (float[1,1] y) <float[2,1] w = {1, 2}> { y = MatMul (x, w) }",
            Layer(LayerKind.Linear) with { WeightHighest = 127, WeightScales = [1f] },
            [new ActivationPlan("x", ElementType.Int8, new QuantizationGrid(0.5f, 0, -31, 31), AtProducer: false, "test")],
            [100f, 0.6f]);
        Close([15.5 + (2 * 0.5)], y);
        Close([15.5, 0.5], gradient);
    }

    /// <summary>Five inputs in blocks of two, one of them padded; the scales are those of the blocks of the first output, then of the second.</summary>
    [Theory]
    [InlineData("<float[5,2] w = {0.3, 4, 0.9, 9, 0.4, 0.1, -1.6, 0.1, 0.24, 0.1}> { y = MatMul (x, w) }", new[] { 0.5, 4, 1, 7, 0, 0, -2, 0, 0.2, 0.1 }, new[] { 1, 1, 1, 0, 1.0, 1, 1, 1, 1, 1 })]
    [InlineData("<float[2,5] w = {0.3, 0.9, 0.4, -1.6, 0.24, 4, 9, 0.1, 0.1, 0.1}> { t = Transpose <perm = [1, 0]> (w) y = MatMul (x, t) }", new[] { 0.5, 1, 0, -2, 0.2, 4, 7, 0, 0, 0.1 }, new[] { 1, 1.0, 1, 1, 1, 1, 0, 1, 1, 1 })]
    public void Blocks_of_inputs_have_scales_of_their_own(string rest, double[] rounded, double[] gradients)
    {
        (float[] y, float[] gradient) = Learn(
            "g (float[1,5] x) => (float[1,2] y) " + rest,
            Layer(LayerKind.Linear) with { WeightHighest = 7, WeightBlock = 2, WeightScales = [0.5f, 1, 0.1f, 1, 4, 0.1f], Execution = LayerExecution.WeightOnly },
            [],
            [1, 1, 1, 1, 1]);
        bool isTransposed = rest.Contains("Transpose", StringComparison.Ordinal);
        Close([.. Enumerable.Range(0, 2).Select(c => Enumerable.Range(0, 5).Sum(k => rounded[isTransposed ? (c * 5) + k : (k * 2) + c]))], y);
        Close(gradients, gradient);
    }

    /// <summary>The second output, 10, is beyond its grid of 0 to 2.55, and gives no gradient.</summary>
    [Fact]
    public void Channels_of_a_convolution_are_quantized_behind_it()
    {
        (float[] y, float[] gradient) = Learn(
            "g (float[1,1,1,1] x) => (float[1,2,1,1] y) <float[2,1,1,1] w = {1, 5}> { c = Conv (x, w) y = Identity (c) }",
            Layer(LayerKind.Conv, "c") with { WeightHighest = 127, WeightScales = [0.5f, 0.5f], OutputGrids = [new QuantizationGrid(0.25f, 0, 0, 255), new QuantizationGrid(0.01f, 0, 0, 255)] },
            [new ActivationPlan("x", ElementType.UInt8, Halves, AtProducer: false, "test")],
            [2f]);
        Close([2, 2.55], y);
        Close([2, 0], gradient);
    }

    [Fact]
    public void A_plan_of_another_model_is_refused()
    {
        using Model model = ModelText.Parse("g (float[1,2] x) => (float[1,2] y) { y = Neg (x) }");
        SamCompressException e = Assert.Throws<SamCompressException>(() => FakeQuantization.Insert(model, Plan(Layer(LayerKind.Linear, "z"), [])));
        Assert.Equal("the quantization plan does not fit the model: no layer 'layer'", e.Message);
    }

    private static LayerPlan Layer(LayerKind kind, string output = "y") => new()
    {
        Name = "layer",
        NodeOutput = output,
        Kind = kind,
        Execution = LayerExecution.Integer,
        Why = "test",
        Input = "x",
        WeightName = "w",
    };

    private static QuantizationPlan Plan(LayerPlan layer, IReadOnlyList<ActivationPlan> activations) => new() { Target = "test", Activations = activations, Layers = [layer], Diagnostics = [] };

    private static (float[] Y, float[] Gradient) Learn(string text, LayerPlan layer, IReadOnlyList<ActivationPlan> activations, float[] x)
    {
        using Model model = ModelText.Parse(text, 17);
        ShapeInference.Infer(model);
        FakeQuantization.Insert(model, Plan(layer, activations));
        using RuntimeTensor input = RuntimeTensor.Of(x, model.Graph.Inputs[0].Shape!.ToStatic()!);
        var inputs = new Dictionary<string, RuntimeTensor> { ["x"] = input };
        using OnnxSession session = OnnxSession.Open(model);
        using RuntimeTensors outputs = session.Run(inputs);
        float[] y = outputs["y"].ToArray<float>();
        using var graph = GradientGraph.Build(model, [new LossTerm("y")], name => name == "w");
        using var training = TrainingSession.Open(graph);
        using RuntimeTensor target = RuntimeTensor.Of(Array.ConvertAll(y, v => v - 1), outputs["y"].Dimensions.AsSpan());
        training.Step(inputs, new Dictionary<string, RuntimeTensor> { ["y"] = target });
        return (y, Array.ConvertAll(training.Read(StateKind.GradientSum)["w"].ToArray<float>(), g => g * y.Length / 2));
    }

    private static void Close(double[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, 1e-4));
    }
}
