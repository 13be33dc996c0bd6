using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class SortNodesTests
{
    [Fact]
    public void Moves_nodes_behind_what_they_read()
    {
        using Model model = ModelText.Parse("g (float[2] x) => (float[2] y) { a = Neg (x) b = Relu (a) y = Sqrt (b) }");
        model.Graph.Reorder([.. model.Graph.Nodes.Reverse()]);
        Assert.Equal(1, new SortNodes().Apply(model, PassCheck.Context()));
        Assert.Equal(["Neg", "Relu", "Sqrt"], model.Graph.Nodes.Select(n => n.OpType));
        Assert.Equal(0, new SortNodes().Apply(model, PassCheck.Context()));
    }
}
