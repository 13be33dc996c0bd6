using SamCompress.IR.Analysis;
using SamCompress.Testing;

namespace SamCompress.IR.Tests.Analysis;

public sealed class TopologicalOrderTests
{
    [Fact]
    public void Keeps_an_order_that_is_right()
    {
        using Model model = ModelText.Parse("g (float[2] x) => (float[2] y) { a = Neg (x) b = Relu (x) c = Sqrt (a) y = Add (b, c) }");
        Assert.True(TopologicalOrder.IsSorted(model.Graph));
        Assert.Equal(model.Graph.Nodes, TopologicalOrder.Of(model.Graph));
    }

    [Fact]
    public void Puts_a_node_behind_what_its_branches_read()
    {
        using Model model = ModelText.Parse(
            """
            g (bool c, float[2] x) => (float[2] y) {
              a = Neg (x)
              y = If (c) <then_branch = t () => (float[2] p) { p = Relu (a) }, else_branch = e () => (float[2] q) { q = Relu (x) }>
            }
            """);
        model.Graph.Reorder([.. model.Graph.Nodes.Reverse()]);
        Assert.False(TopologicalOrder.IsSorted(model.Graph));
        Assert.Equal(["Neg", "If"], TopologicalOrder.Of(model.Graph).Select(n => n.OpType));
    }

    [Fact]
    public void Sorts_ten_thousand_nodes_from_back_to_front()
    {
        using Model model = ModelText.Parse("g (float[2] x) => (float[2] y) { y = Neg (x) }");
        Value value = model.Graph.Outputs[0];
        for (int i = 0; i < 10_000; i++)
            value = model.Graph.Append("Neg", [value], [model.Graph.FreshName("v")]).Output;
        Node[] order = [.. model.Graph.Nodes];
        model.Graph.Reorder([.. order.Reverse()]);
        Assert.Equal(order, TopologicalOrder.Of(model.Graph));
    }

    [Fact]
    public void Refuses_a_cycle()
    {
        using Model model = ModelText.Parse("g (float[2] x) => (float[2] y) { a = Neg (x) b = Add (a, x) y = Add (a, b) }");
        Node[] nodes = [.. model.Graph.Nodes];
        nodes[0].ReplaceInput(0, nodes[1].Output);
        var refused = Assert.Throws<SamCompressException>(() => TopologicalOrder.Of(model.Graph));
        Assert.Equal(FailureKind.InputRejected, refused.Kind);
    }
}
