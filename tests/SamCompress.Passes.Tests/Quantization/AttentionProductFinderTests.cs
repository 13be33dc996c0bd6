using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class AttentionProductFinderTests
{
    [Fact]
    public void Finds_both_products_around_a_softmax()
    {
        using Model model = ModelText.Parse("""
            g (float[2,5,4] Q, float[2,4,5] K, float[2,5,4] V, float[5,5] R) => (float[2,5,4] Y)
            <float scale = {0.5}>
            {
                [logits] L = MatMul (Q, K)
                S = Mul (L, scale)
                A = Add (S, R)
                P = Softmax (A)
                [values] Y = MatMul (P, V)
            }
            """, opset: 17);
        Assert.Equal([("logits", "Q", "K", false), ("values", "P", "V", true)], AttentionProductFinder.Find(model.Graph).Select(p => (p.Name, p.Left.Name, p.Right.Name, p.BehindSoftmax)));
        Assert.Empty(LayerFinder.Find(model.Graph));
    }

    [Theory]
    [InlineData("Y = MatMul (X, W)")]
    [InlineData("A = MatMul (X, W)\n P = Softmax (A)\n Y = Relu (P)")]
    [InlineData("A = MatMul (X, X)\n Y = Relu (A)")]
    [InlineData("A = MatMul (X, X)\n B = Relu (A)\n Y = Softmax (B)")]
    [InlineData("A = Softmax (X)\n B = Relu (A)\n Y = MatMul (B, X)")]
    public void Finds_no_product_of_a_weight_and_none_away_from_a_softmax(string nodes)
    {
        using Model model = ModelText.Parse($$"""g (float[2,2] X) => (float[2,2] Y) <float[2,2] W = {1, 2, 3, 4}> { {{nodes}} }""", opset: 17);
        Assert.Empty(AttentionProductFinder.Find(model.Graph));
    }
}
