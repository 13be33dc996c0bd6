namespace SamCompress.Passes.Tests.Differentiation.Rules;

public sealed class ReductionGradientTests
{
    [Theory]
    [InlineData("ReduceSum", "{1}", 1)]
    [InlineData("ReduceSum", "{-1, 0}", 0)]
    [InlineData("ReduceMean", "{1}", 0)]
    [InlineData("ReduceMean", "{-1, 0}", 1)]
    [InlineData("ReduceMax", "{1}", 0)]
    [InlineData("ReduceMin", "{-1, 0}", 1)]
    public void With_axes_as_an_input(string operation, string axes, int keepdims) => GradientCheck.Agrees($$"""
        agraph (double[2, 3, 4] x) => (double y) <int64[{{axes.Split(',').Length}}] axes = {{axes}}>
        {
            y = {{operation}} <keepdims = {{keepdims}}> (x, axes)
        }
        """, "x");

    [Theory]
    [InlineData("ReduceMean", 1)]
    [InlineData("ReduceMax", 0)]
    public void With_axes_as_an_attribute(string operation, int keepdims) => new GradientCheck { Opset = 17 }.Run($$"""
        agraph (double[2, 3, 4] x) => (double y)
        {
            y = {{operation}} <axes = [-2, 0], keepdims = {{keepdims}}> (x)
        }
        """, "x");

    [Theory]
    [InlineData("ReduceSum", 0)]
    [InlineData("ReduceMean", 1)]
    [InlineData("ReduceMax", 0)]
    public void Over_all_axes(string operation, int keepdims) => GradientCheck.Agrees($$"""
        agraph (double[2, 3, 4] x) => (double y)
        {
            y = {{operation}} <keepdims = {{keepdims}}> (x)
        }
        """, "x");

    [Fact]
    public void Over_no_axes() => GradientCheck.Agrees("""
        agraph (double[2, 3] x) => (double y)
        {
            y = ReduceSum <noop_with_empty_axes = 1> (x)
        }
        """, "x");

    [Fact]
    public void Computed_axes_are_refused()
    {
        var refusal = Assert.Throws<SamCompressException>(() => new GradientCheck { Inputs = new Dictionary<string, double[]> { ["axes"] = [0] } }.Run("""
            agraph (double[2, 3] x, int64[1] axes) => (double[1, 3] y)
            {
                y = ReduceSum (x, axes)
            }
            """, "x"));
        Assert.Equal("no gradient of y (ReduceSum): the axes are computed", refusal.Message);
    }

    [Theory]
    [InlineData("Max")]
    [InlineData("Min")]
    public void The_greatest_of_inputs(string operation) => GradientCheck.Agrees($$"""
        agraph (double[2, 3, 4] a, double[3, 1] b, double[4] c) => (double y)
        {
            y = {{operation}} (a, b, c)
        }
        """, "a", "b", "c");

    [Fact]
    public void Equal_inputs_get_the_gradient_once()
    {
        // max(x, x) = x.
        GradientCheck.Agrees("""
            agraph (double[2, 3] x) => (double y)
            {
                y = Max (x, x)
            }
            """, "x");
    }

    [Theory]
    [InlineData("Softmax", -1)]
    [InlineData("Softmax", 1)]
    [InlineData("LogSoftmax", -1)]
    [InlineData("LogSoftmax", 0)]
    public void Softmax(string operation, int axis) => GradientCheck.Agrees($$"""
        agraph (double[2, 3, 4] x) => (double[2, 3, 4] y)
        {
            y = {{operation}} <axis = {{axis}}> (x)
        }
        """, "x");

    [Theory]
    [InlineData(-1, "4", "double[4]")]
    [InlineData(1, "3, 4", "double[3, 4]")]
    public void LayerNormalization(int axis, string shape, string bias) => GradientCheck.Agrees($$"""
        agraph (double[2, 3, 4] x, double[{{shape}}] scale, {{bias}} bias) => (double[2, 3, 4] y)
        {
            y = LayerNormalization <axis = {{axis}}, epsilon = 1e-3> (x, scale, bias)
        }
        """, "x", "scale", "bias");

    [Fact]
    public void LayerNormalization_without_bias() => GradientCheck.Agrees("""
        agraph (double[2, 3, 4] x, double[4] scale) => (double[2, 3, 4] y)
        {
            y = LayerNormalization (x, scale)
        }
        """, "x", "scale");
}
