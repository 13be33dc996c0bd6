namespace SamCompress.Passes.Tests.Differentiation.Rules;

public sealed class LinearGradientTests
{
    [Theory]
    [InlineData("2, 3, 4", "2, 4, 5")]
    [InlineData("3, 4", "4, 5")]
    [InlineData("2, 3, 4", "4, 5")]
    [InlineData("3, 4", "2, 4, 5")]
    [InlineData("6, 1, 3, 4", "2, 4, 5")]
    public void MatMul(string a, string b) => GradientCheck.Agrees($$"""
        agraph (double[{{a}}] a, double[{{b}}] b) => (double y)
        {
            y = MatMul (a, b)
        }
        """, "a", "b");
}
