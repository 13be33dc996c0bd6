using SamCompress.IR;
using SamCompress.Passes.Distillation;
using SamCompress.Passes.Tests.Attention;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Distillation;

public sealed class UnchangedValuesTests
{
    private const string Text = """
        g (float[2,2] x) => (float[2,2] y)
        <float[2,2] w = {1, 2, 3, 4}, float[2,2] u = {5, 6, 7, 8}>
        {
            a = MatMul (x, w)
            b = Relu (a)
            side = LeakyRelu <alpha = 0.1> (x)
            c = MatMul (b, u)
            y = Add (c, side)
        }
        """;

    [Theory]
    [InlineData("Relu (a)", "Relu (a)", "x a b side c y")] // nothing
    [InlineData("w = {1, 2, 3, 4}", "w = {1, 2, 3, 5}", "x side")] // a weight, and all behind it
    [InlineData("u = {5, 6, 7, 8}", "u = {5, 6, 7, 9}", "x a b side")]
    [InlineData("Relu (a)", "Sigmoid (a)", "x a side")] // an operator
    [InlineData("alpha = 0.1", "alpha = 0.2", "x a b c")] // an attribute
    [InlineData("MatMul (b, u)", "MatMul (a, u)", "x a b side")] // an input
    [InlineData("MatMul (b, u)", "MatMul (u, b)", "x a b side")]
    [InlineData("(x, w)\n    b = Relu (a)", "(x, w)\n    other = Relu (a)\n    b = Relu (other)", "x a side")] // made of another value
    public void Are_those_that_everything_before_them_is_the_same_for(string text, string change, string unchanged)
    {
        using Model teacher = ModelText.Parse(Text, 17), student = ModelText.Parse(Text.With(text, change), 17);
        Assert.Equal(unchanged.Split(' ').Order(), UnchangedValues.Of(student, teacher).Order());
    }

    [Fact]
    public void A_weight_may_have_another_name()
    {
        using Model teacher = ModelText.Parse(Text, 17), student = ModelText.Parse(Text.With("float[2,2] w", "float[2,2] v").With("(x, w)", "(x, v)"), 17);
        Assert.Contains("y", UnchangedValues.Of(student, teacher));
    }

    [Fact]
    public void An_input_of_another_name_changes_what_reads_it()
    {
        using Model teacher = ModelText.Parse(Text, 17), student = ModelText.Parse(Text.Replace("x", "z", StringComparison.Ordinal), 17);
        Assert.Empty(UnchangedValues.Of(student, teacher));
    }
}
