using SamCompress.IR;
using SamCompress.Passes.Rewriting;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Rewriting;

public sealed class GraphBuilderTests
{
    [Fact]
    public void Puts_nodes_with_fresh_names_and_shapes_before_the_anchor()
    {
        using Model model = ModelText.Parse("g (float[2,3] x) => (float[2,3] y) { y_Transpose = Neg (x) y = Relu (y_Transpose) }");
        Node anchor = model.Graph.Nodes.Last!;
        var builder = new GraphBuilder(model, anchor);
        Value turned = builder.Transpose(model.Graph.Inputs[0], 1, 0);
        Value joined = builder.Concat([turned, turned], 1);
        Value cut = builder.Slice(joined, 1, 1, 3);
        Assert.Equal(["Neg", "Transpose", "Concat", "Slice", "Relu"], model.Graph.Nodes.Select(n => n.OpType));
        Assert.Equal(("y_Transpose_1", Shape.Of(3, 2)), (turned.Name, turned.Shape));
        Assert.Equal(Shape.Of(3, 4), joined.Shape);
        Assert.Equal((Shape.Of(3, 2), ElementType.Float), (cut.Shape, cut.ElementType));
    }

    [Fact]
    public void Discard_takes_everything_away()
    {
        using Model model = ModelText.Parse("g (float[2,3] x) => (float[2,3] y) { y = Relu (x) }");
        var builder = new GraphBuilder(model, model.Graph.Nodes.First!);
        builder.Add(builder.Mul(model.Graph.Inputs[0], builder.Constant(2f)), model.Graph.Inputs[0]);
        builder.Discard();
        Assert.Equal(["Relu"], model.Graph.Nodes.Select(n => n.OpType));
        Assert.Single(model.Graph.Inputs[0].Uses);
    }

    [Fact]
    public void A_node_that_cannot_run_is_a_bug()
    {
        using Model model = ModelText.Parse("g (float[2,3] x) => (float[2,3] y) { y = Relu (x) }");
        var builder = new GraphBuilder(model, model.Graph.Nodes.First!);
        Assert.Throws<InvariantException>(() => builder.MatMul(model.Graph.Inputs[0], model.Graph.Inputs[0]));
    }
}
