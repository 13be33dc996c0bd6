namespace SamCompress.Passes.Tests.Differentiation.Rules;

public sealed class ProductGradientTests
{
    [Theory]
    [InlineData("2, 3, 4", "2, 4, 5")]
    [InlineData("3, 4", "4, 5")]
    [InlineData("2, 3, 4", "4, 5")]
    [InlineData("3, 4", "2, 4, 5")]
    [InlineData("6, 1, 3, 4", "2, 4, 5")]
    [InlineData("2, 9, 9", "2, 9, 2")] // the left operand is the largest: its gradient's formula is transposed
    [InlineData("2, 2, 9", "2, 9, 9")]
    public void MatMul(string a, string b) => GradientCheck.Agrees($$"""
        agraph (double[{{a}}] a, double[{{b}}] b) => (double y)
        {
            y = MatMul (a, b)
        }
        """, "a", "b");

    [Fact]
    public void MatMul_of_a_transposed_operand() => GradientCheck.Agrees("""
        agraph (double[2, 3, 4] a, double[2, 5, 4] b) => (double[2, 3, 5] y)
        {
            t = Transpose <perm = [0, 2, 1]> (b)
            y = MatMul (a, t)
        }
        """, "a");

    [Fact]
    public void MatMul_of_a_vector_is_refused() => Refuses("y = MatMul (a, b)", "4", "4, 5", "no gradient of y (MatMul): an operand is a vector");

    [Theory]
    [InlineData("3, 4", "4, 5", "")]
    [InlineData("4, 3", "4, 5", "transA = 1")]
    [InlineData("3, 4", "5, 4", "transB = 1")]
    [InlineData("4, 3", "5, 4", "transA = 1, transB = 1, alpha = 0.5, beta = 2.0")]
    public void Gemm(string a, string b, string attributes)
    {
        foreach (string c in (string[])["5", "3, 1", "1"])
        {
            GradientCheck.Agrees($$"""
                agraph (double[{{a}}] a, double[{{b}}] b, double[{{c}}] c) => (double y)
                {
                    y = Gemm <{{attributes}}> (a, b, c)
                }
                """, "a", "b", "c");
        }
    }

    [Fact]
    public void Gemm_without_addend() => GradientCheck.Agrees("""
        agraph (double[3, 4] a, double[4, 5] b) => (double y)
        {
            y = Gemm (a, b)
        }
        """, "a", "b");

    [Theory]
    [InlineData("2, 3, 4, 5", "3, 6, 5", "bhwc,hkc->bhwk")]
    [InlineData("2, 3, 4, 5", "4, 6, 5", "bhwc, wkc -> bhwk")]
    [InlineData("3, 4", "4, 5", "ij,jk->ki")]
    [InlineData("4, 3", "5, 4", "ja,bj")]
    [InlineData("2, 3", "2, 3", "ij,ij->ij")]
    public void Einsum(string a, string b, string equation) => GradientCheck.Agrees($$"""
        agraph (double[{{a}}] a, double[{{b}}] b) => (double y)
        {
            y = Einsum <equation = "{{equation}}"> (a, b)
        }
        """, "a", "b");

    [Theory]
    [InlineData("ij,jk,kl->il", "it has not two operands")]
    [InlineData("...j,jk->...k", "its equation has an ellipsis")]
    [InlineData("ii,ik->k", "its equation has an index twice in a term")]
    [InlineData("ij,kl->kl", "an index of one operand only is summed")]
    public void Einsum_is_refused(string equation, string reason) =>
        Refuses($"y = Einsum <equation = \"{equation}\"> ({(equation.Count(c => c == ',') == 2 ? "a, b, b" : "a, b")})", "4, 4", "4, 4", $"no gradient of y (Einsum): {reason}");

    [Fact]
    public void Einsum_that_broadcasts_is_refused() =>
        Refuses("y = Einsum <equation = \"ij,jk->ik\"> (a, b)", "3, 1", "4, 5", "no gradient of y (Einsum): axis j is broadcast");

    private static void Refuses(string node, string a, string b, string message)
    {
        var refusal = Assert.Throws<SamCompressException>(() => GradientCheck.Agrees($$"""
            agraph (double[{{a}}] a, double[{{b}}] b) => (double y)
            {
                {{node}}
            }
            """, "a"));
        Assert.Equal(message, refusal.Message);
    }
}
