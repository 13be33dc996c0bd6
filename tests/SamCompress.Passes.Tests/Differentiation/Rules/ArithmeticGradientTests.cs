namespace SamCompress.Passes.Tests.Differentiation.Rules;

public sealed class ArithmeticGradientTests
{
    [Theory]
    [InlineData("Add", "2, 3", "2, 3")]
    [InlineData("Add", "4, 1, 3", "2, 1")]
    [InlineData("Sub", "2, 3", "2, 3")]
    [InlineData("Sub", "3", "4, 2, 3")]
    [InlineData("Mul", "2, 3", "2, 3")]
    [InlineData("Mul", "1, 5, 3", "4, 1, 3")]
    public void Of_two_operands(string operation, string a, string b) => GradientCheck.Agrees($$"""
        agraph (double[{{a}}] a, double[{{b}}] b) => (double y)
        {
            y = {{operation}} (a, b)
        }
        """, "a", "b");

    [Theory]
    [InlineData("2, 3", "2, 3")]
    [InlineData("2, 1", "4, 2, 3")]
    [InlineData("4, 2, 3", "3")]
    public void Of_a_quotient(string a, string b) => new GradientCheck { Low = 0.5 }.Run($$"""
        agraph (double[{{a}}] a, double[{{b}}] b) => (double y)
        {
            y = Div (a, b)
        }
        """, "a", "b");

    [Fact]
    public void Of_a_value_that_is_used_twice() => GradientCheck.Agrees("""
        agraph (double[2, 3] x) => (double[2, 3] y, double[2, 3] z)
        {
            y = Mul (x, x)
            n = Neg (x)
            z = Add (n, y)
        }
        """, "x");

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(-1)]
    public void Of_a_power(double exponent) => new GradientCheck { Kinks = [0], Low = -1.5 }.Run($$"""
        agraph (double[4, 3] x) => (double[4, 3] y) <double c = { {{exponent}} }>
        {
            y = Pow (x, c)
        }
        """, "x");

    [Theory]
    [InlineData("2, 3", "2, 3")]
    [InlineData("4, 1, 3", "2, 1")]
    public void Of_base_and_exponent(string a, string b) => new GradientCheck { Low = 0.2 }.Run($$"""
        agraph (double[{{a}}] a, double[{{b}}] b) => (double y)
        {
            y = Pow (a, b)
        }
        """, "a", "b");

    [Fact]
    public void Of_a_power_with_a_negative_base_and_whole_exponents() => new GradientCheck { Inputs = new Dictionary<string, double[]> { ["x"] = [-1.5, 0.5, -0.25] } }.Run("""
        agraph (double[3] x) => (double[3] y) <double[3] c = {2, 3, 1}>
        {
            y = Pow (x, c)
        }
        """, "x");
}
