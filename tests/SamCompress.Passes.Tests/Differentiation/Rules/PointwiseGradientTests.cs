namespace SamCompress.Passes.Tests.Differentiation.Rules;

public sealed class PointwiseGradientTests
{
    [Theory]
    [InlineData("Exp")]
    [InlineData("Tanh")]
    [InlineData("Sigmoid")]
    [InlineData("Abs")]
    [InlineData("Relu")]
    public void Of_a_function(string operation) => new GradientCheck { Kinks = [0] }.Run(Text(operation), "x");

    [Theory]
    [InlineData("Sqrt")]
    [InlineData("Log")]
    [InlineData("Reciprocal")]
    public void Of_a_function_of_positive_numbers(string operation) => new GradientCheck { Low = 0.2 }.Run(Text(operation), "x");

    [Theory]
    [InlineData("Erf (x)")]
    [InlineData("Gelu (x)")]
    [InlineData("Gelu <approximate = \"tanh\"> (x)")]
    [InlineData("com.microsoft.Gelu (x)")]
    [InlineData("com.microsoft.FastGelu (x)")]
    [InlineData("HardSwish (x)")]
    [InlineData("HardSigmoid <alpha = 0.5, beta = 0.25> (x)")]
    [InlineData("LeakyRelu <alpha = 0.25> (x)")]
    public void Of_a_function_that_ONNX_Runtime_has_in_single_precision_only(string call) => new GradientCheck
    {
        Evaluator = () => new ReferenceModelEvaluator(),
        Low = -4,
        High = 4,
        Kinks = [-3, -0.5, 0, 1.5, 3],
    }.Run($$"""
        agraph (double[5, 4] x) => (double[5, 4] y)
        {
            y = {{call}}
        }
        """, "x");

    [Fact]
    public void Of_cutting() => new GradientCheck { Kinks = [-0.5, 1] }.Run("""
        agraph (double[5, 4] x) => (double[5, 4] y) <double low = {-0.5}, double high = {1}>
        {
            y = Clip (x, low, high)
        }
        """, "x");

    [Fact]
    public void A_bound_has_no_gradient()
    {
        var refusal = Assert.Throws<SamCompressException>(() => GradientCheck.Agrees("""
            agraph (double[5] x, double low) => (double[5] y)
            {
                y = Clip (x, low)
            }
            """, "x", "low"));
        Assert.Equal("no gradient of y (Clip): input 1 depends on what the gradient is asked for", refusal.Message);
    }

    private static string Text(string operation) => $$"""
        agraph (double[5, 4] x) => (double[5, 4] y)
        {
            y = {{operation}} (x)
        }
        """;
}
