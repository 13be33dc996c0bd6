using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateDuplicateInitializersTests
{
    [Fact]
    public void Keeps_one_of_equal_initializers() => Snapshot.Match(PassCheck.Apply(
        "g (float[2] x) => (float[2] y) <float[2] a = {1, 2}, float[2] b = {1, 2}> { c = Add (x, a) y = Mul (c, b) }", new EliminateDuplicateInitializers()));

    [Theory]
    [InlineData("float[2] a = {1, 2}, float[1,2] b = {1, 2}")]
    [InlineData("float[2] a = {0, 2}, float[2] b = {-0.0, 2}")]
    public void Keeps_initializers_that_differ(string initializers) => PassCheck.LeavesAlone(
        $"g (float[1,2] x) => (float[1,2] y) <{initializers}> {{ c = Add (x, a) y = Mul (c, b) }}", new EliminateDuplicateInitializers());

    [Fact]
    public void Does_not_read_big_weights()
    {
        using Model model = ModelText.Parse("g (float[5000] x) => (float[5000] y) { a = Neg (x) y = Neg (a) }");
        foreach (Node node in model.Graph.Nodes)
        {
            Value weight = model.Graph.AddInitializer(model.Graph.FreshName("w"), Tensor.Lazy(ElementType.Float, [5000], _ => Assert.Fail("was read")));
            node.ResizeInputs(2);
            node.ReplaceInput(1, weight);
        }

        Assert.Equal(0, new EliminateDuplicateInitializers().Apply(model, PassCheck.Context()));
    }
}
