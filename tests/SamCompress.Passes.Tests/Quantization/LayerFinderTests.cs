using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class LayerFinderTests
{
    [Theory]
    [InlineData("Y = MatMul (X, W)", 1, false)]
    [InlineData("P = MatMul (X, W) Y = Add (P, B)", 1, true)]
    [InlineData("P = MatMul (X, W) Y = Add (B, P)", 1, true)]
    [InlineData("V = Transpose (W) Y = MatMul (X, V)", 0, false)]
    [InlineData("V = Transpose <perm = [1, 0]> (W) P = MatMul (X, V) Y = Add (P, B)", 0, true)]
    [InlineData("Y = Gemm (X, W, B)", 1, true)]
    [InlineData("Y = Gemm <transB = 1> (X, W)", 0, false)]
    [InlineData("P = MatMul (X, W) Y = Add (P, S)", 1, false)] // a scalar is no bias
    [InlineData("P = MatMul (X, W) Q = Add (P, B) Y = Mul (P, Q)", 1, false)] // the product is also read elsewhere
    public void Linears_are_found(string nodes, int weightAxis, bool hasBias)
    {
        using Model model = Parse(nodes);
        QuantizableLayer layer = Assert.Single(LayerFinder.Find(model.Graph));
        Assert.Equal(LayerKind.Linear, layer.Kind);
        Assert.Equal(weightAxis, layer.WeightAxis);
        Assert.Equal(hasBias, layer.Bias is not null);
        Assert.Equal(2, layer.OutputChannels);
    }

    [Theory]
    [InlineData("Y = MatMul (X, X)")] // attention
    [InlineData("Y = MatMul (W, X)")] // the constant is on the left
    [InlineData("Y = Gemm <transA = 1> (X, W, B)")]
    [InlineData("Y = Gemm <alpha = 0.5> (X, W, B)")]
    [InlineData("Y = Gemm (X, W, S)")]
    [InlineData("Y = MatMul (W, W)")]
    [InlineData("Y = Einsum <equation = \"ij,jk->ik\"> (X, W)")]
    public void Other_multiplications_are_not_layers(string nodes)
    {
        using Model model = Parse(nodes);
        Assert.Empty(LayerFinder.Find(model.Graph));
    }

    private static Model Parse(string nodes) =>
        ModelText.Parse($"g (float[2,2] X) => (float[2,2] Y) <float[2,2] W = {{1, 2, 3, 4}}, float[2] B = {{1, 2}}, float S = {{3}}> {{ {nodes} }}", opset: 17);
}
