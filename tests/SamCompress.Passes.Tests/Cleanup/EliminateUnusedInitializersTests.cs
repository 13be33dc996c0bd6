using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateUnusedInitializersTests
{
    [Fact]
    public void Removes_what_nothing_reads_but_no_graph_input()
    {
        using Model model = ModelText.Parse("g (float[1] x, float[1] d) => (float[1] y) <float[1] a = {1}, float[1] b = {2}> { y = Add (x, b) }");
        model.Graph.SetInitializer(model.Graph.Inputs[1], Tensor.Of([3f], 1));
        Assert.Equal(1, new EliminateUnusedInitializers().Apply(model, PassCheck.Context()));
        Assert.Equal(["b", "d"], model.Graph.Initializers.Select(i => i.Name));
    }
}
