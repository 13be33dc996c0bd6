namespace SamCompress.Passes.Tests.Differentiation.Rules;

/// <summary>Rules of convolutions, pools and of what follows them, in the plain evaluator: ONNX Runtime has no convolution of doubles.</summary>
public sealed class ConvolutionGradientTests
{
    private static readonly GradientCheck Check = new() { Evaluator = () => new ReferenceModelEvaluator() };

    [Theory]
    [InlineData("1, 4, 8, 12", "5, 4, 4, 4", "1, 5, 2, 3", "strides = [4, 4]")]
    [InlineData("2, 3, 6, 4", "5, 3, 2, 2", "2, 5, 3, 2", "strides = [2, 2]")]
    [InlineData("1, 3, 5, 4", "2, 3, 1, 1", "1, 2, 5, 4", "strides = [1, 1]")]
    [InlineData("2, 3, 5, 4", "2, 3, 1, 1", "2, 2, 5, 4", "strides = [1, 1]")]
    [InlineData("1, 3, 5, 6", "4, 3, 3, 3", "1, 4, 5, 6", "pads = [1, 1, 1, 1]")]
    [InlineData("2, 2, 7, 6", "3, 2, 3, 2", "2, 3, 4, 3", "pads = [1, 0, 1, 0], strides = [2, 2]")]
    [InlineData("2, 2, 8, 7", "3, 2, 3, 3", "2, 3, 3, 2", "strides = [3, 2], dilations = [1, 2]")]
    [InlineData("1, 2, 9, 8", "3, 2, 2, 3", "1, 3, 8, 5", "pads = [0, 1, 2, 0], dilations = [3, 2]")]
    [InlineData("1, 4, 6, 5", "4, 1, 3, 3", "1, 4, 6, 5", "group = 4, pads = [1, 1, 1, 1]")]
    [InlineData("2, 4, 6, 6", "4, 1, 3, 3", "2, 4, 3, 3", "group = 4, pads = [1, 1, 1, 1], strides = [2, 2]")]
    [InlineData("2, 4, 5, 5", "6, 2, 3, 3", "2, 6, 5, 5", "group = 2, pads = [1, 1, 1, 1]")]
    [InlineData("1, 4, 5, 5", "6, 2, 1, 1", "1, 6, 5, 5", "group = 2")]
    [InlineData("1, 2, 5, 5", "3, 2, 1, 1", "1, 3, 3, 3", "strides = [2, 2]")]
    [InlineData("1, 2, 7, 6", "3, 2, 4, 3", "1, 3, 4, 3", "auto_pad = \"SAME_UPPER\", strides = [2, 2]")]
    [InlineData("1, 2, 7, 6", "3, 2, 4, 3", "1, 3, 4, 3", "auto_pad = \"SAME_LOWER\", strides = [2, 2]")]
    [InlineData("1, 2, 7, 6", "3, 2, 4, 3", "1, 3, 2, 2", "auto_pad = \"VALID\", strides = [2, 2]")]
    [InlineData("1, 2, 8, 9", "3, 2, 6, 7", "1, 3, 5, 5", "pads = [1, 1, 2, 2]")]
    [InlineData("2, 2, 9, 9", "3, 2, 6, 6", "2, 3, 3, 3", "pads = [1, 0, 0, 1], strides = [2, 2]")]
    [InlineData("1, 2, 4, 4", "3, 2, 2, 2", "1, 3, 9, 9", "pads = [3, 3, 3, 3]")]
    [InlineData("2, 4, 9", "6, 2, 3", "2, 6, 5", "group = 2, pads = [1, 1], strides = [2]")]
    public void Conv(string x, string w, string y, string attributes) => Check.Run($$"""
        agraph (double[{{x}}] x, double[{{w}}] w, double[{{w[..w.IndexOf(',', StringComparison.Ordinal)]}}] b) => (double[{{y}}] y)
        {
            y = Conv <{{attributes}}> (x, w, b)
        }
        """, "x", "w", "b");

    [Theory]
    [InlineData("1, 4, 3, 4", "4, 2, 2, 2", "1, 2, 6, 8", "strides = [2, 2]")]
    [InlineData("2, 4, 3, 4", "4, 2, 2, 2", "2, 2, 6, 8", "strides = [2, 2]")]
    [InlineData("2, 3, 4, 3", "3, 2, 3, 3", "2, 2, 4, 3", "pads = [1, 1, 1, 1]")]
    [InlineData("1, 4, 4, 3", "4, 3, 3, 2", "1, 6, 8, 7", "group = 2, pads = [1, 0, 1, 0], strides = [2, 2], output_padding = [1, 1]")]
    [InlineData("1, 2, 4, 3", "2, 3, 2, 2", "1, 3, 6, 5", "dilations = [2, 2]")]
    public void ConvTranspose(string x, string w, string y, string attributes) => Check.Run($$"""
        agraph (double[{{x}}] x, double[{{w}}] w, double[{{y.Split(',')[1].Trim()}}] b) => (double[{{y}}] y)
        {
            y = ConvTranspose <{{attributes}}> (x, w, b)
        }
        """, "x", "w", "b");

    [Theory]
    [InlineData("2, 3, 4, 6", "kernel_shape = [2, 2], strides = [2, 2]", "2, 3, 2, 3")]
    [InlineData("1, 2, 5, 6", "kernel_shape = [3, 3], pads = [1, 1, 1, 1]", "1, 2, 5, 6")]
    [InlineData("1, 2, 5, 6", "kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2], count_include_pad = 1", "1, 2, 3, 3")]
    [InlineData("1, 2, 6, 5", "kernel_shape = [2, 3], auto_pad = \"SAME_UPPER\", strides = [2, 2]", "1, 2, 3, 3")]
    public void AveragePool(string x, string attributes, string y) => Check.Run($$"""
        agraph (double[{{x}}] x) => (double[{{y}}] y)
        {
            y = AveragePool <{{attributes}}> (x)
        }
        """, "x");

    [Fact]
    public void GlobalAveragePool() => Check.Run("""
        agraph (double[2, 3, 4, 5] x) => (double[2, 3, 1, 1] y)
        {
            y = GlobalAveragePool (x)
        }
        """, "x");

    [Fact]
    public void BatchNormalization() => (Check with { Inputs = new Dictionary<string, double[]> { ["v"] = [0.5, 1.5, 3] } }).Run("""
        agraph (double[2, 3, 4, 5] x, double[3] s, double[3] b, double[3] m, double[3] v) => (double[2, 3, 4, 5] y)
        {
            y = BatchNormalization <epsilon = 0.01> (x, s, b, m, v)
        }
        """, "x", "s", "b", "m", "v");
}
