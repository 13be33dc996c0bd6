using SamCompress.IR;
using SamCompress.Passes.Differentiation;
using SamCompress.Passes.Rewriting;
using Xunit.Sdk;

namespace SamCompress.Passes.Tests.Differentiation;

public sealed class GradientCheckTests
{
    private const string Product = """
        agraph (double[2, 3] x) => (double[2, 3] y) <double[3] w = {1, 2, 3}>
        {
            y = Mul (x, w)
        }
        """;

    [Fact]
    public void Inputs_and_initializers_are_checked() => GradientCheck.Agrees(Product, "x", "w");

    [Fact]
    public void A_wrong_factor_is_seen()
    {
        var check = new GradientCheck
        {
            Differentiate = (model, loss, wanted) => Differentiator.Differentiate(model, loss, wanted).ToDictionary(g => g.Key, g =>
            {
                var builder = new GraphBuilder(model, "wrong");
                return builder.Mul(g.Value, builder.Constant(Tensor.Of<double>(ElementType.Double, [1.0001], [])));
            }),
        };
        Assert.Throws<TrueException>(() => check.Run(Product, "x"));
    }
}
