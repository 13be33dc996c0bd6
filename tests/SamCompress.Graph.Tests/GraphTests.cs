namespace SamCompress.IR.Tests;

public sealed class GraphTests
{
    private readonly Model _model = new(8, [new OpsetImport("", 17)]);

    private Graph Graph => _model.Graph;

    [Fact]
    public void Uses_follow_every_replaced_input()
    {
        Value x = Graph.AddInput("x", ElementType.Float);
        Value y = Graph.AddInput("y", ElementType.Float);
        Node first = Graph.Append("Add", [x, x], ["a"]);
        Node second = Graph.Append("Add", [x, first.Output], ["b"]);

        Assert.Equal([new Use(first, 0), new Use(first, 1), new Use(second, 0)], x.Uses);

        first.ReplaceInput(0, y);

        Assert.Equal([new Use(first, 1), new Use(second, 0)], x.Uses.OrderBy(u => u.Node == second));
        Assert.Equal([new Use(first, 0)], y.Uses);

        x.ReplaceUsesWith(y);

        Assert.Empty(x.Uses);
        Assert.Equal(3, y.Uses.Count);
        Assert.All(first.Inputs, input => Assert.Same(y, input));
    }

    [Fact]
    public void A_node_whose_output_is_used_cannot_be_removed()
    {
        Value x = Graph.AddInput("x", ElementType.Float);
        Node producer = Graph.Append("Relu", [x], ["a"]);
        Node consumer = Graph.Append("Relu", [producer.Output], ["b"]);

        Assert.Throws<InvalidOperationException>(() => Graph.Remove(producer));

        Graph.Remove(consumer);
        Graph.Remove(producer);

        Assert.Empty(Graph.Nodes);
        Assert.Empty(x.Uses);
    }

    [Fact]
    public void A_node_whose_output_is_a_graph_output_cannot_be_removed()
    {
        Node node = Graph.Append("Relu", [Graph.AddInput("x")], ["a"]);
        Graph.AddOutput(node.Output);

        Assert.Throws<InvalidOperationException>(() => Graph.Remove(node));
    }

    [Fact]
    public void Enumeration_survives_removal_of_this_node_the_next_and_the_one_after()
    {
        Value x = Graph.AddInput("x");
        Node[] nodes = [.. Enumerable.Range(0, 5).Select(i => Graph.Append("Relu", [x], [$"n{i}"]))];
        var met = new List<Node>();
        foreach (Node node in Graph.Nodes)
        {
            met.Add(node);
            if (node != nodes[0])
                continue;
            Graph.Remove(nodes[0]);
            Graph.Remove(nodes[1]);
            Graph.Remove(nodes[2]);
        }

        Assert.Equal([nodes[0], nodes[3], nodes[4]], met);
    }

    [Fact]
    public void Enumeration_meets_nodes_that_are_added_ahead_and_not_those_added_behind()
    {
        Value x = Graph.AddInput("x");
        Node first = Graph.Append("Relu", [x], ["a"]);
        Node last = Graph.Append("Relu", [x], ["b"]);
        var met = new List<string>();
        foreach (Node node in Graph.Nodes)
        {
            met.Add(node.Output.Name);
            if (node == first)
            {
                Graph.InsertBefore(first, "Relu", [x], ["behind"]);
                Graph.InsertBefore(last, "Relu", [x], ["ahead"]);
            }
        }

        Assert.Equal(["a", "ahead", "b"], met);
        Assert.Equal(["behind", "a", "ahead", "b"], Graph.Nodes.Select(n => n.Output.Name));
    }

    [Fact]
    public void Substitute_moves_the_name_of_a_graph_output_to_the_replacement()
    {
        Value x = Graph.AddInput("x", ElementType.Float);
        Node old = Graph.Append("Relu", [x], ["y"]);
        Node replacement = Graph.Append("Abs", [x], ["z"]);
        Graph.AddOutput(old.Output);

        Graph.Substitute(old.Output, replacement.Output);
        Graph.Remove(old);

        Assert.Equal(["y"], Graph.Outputs.Select(o => o.Name));
        Assert.Same(replacement, Graph.Outputs[0].Producer);
    }

    [Fact]
    public void Substitute_by_a_graph_input_keeps_the_output_name_through_an_Identity()
    {
        Value x = Graph.AddInput("x", ElementType.Float, Shape.Of(2));
        Node old = Graph.Append("Relu", [x], ["y"]);
        Graph.AddOutput(old.Output);

        Graph.Substitute(old.Output, x);
        Graph.Remove(old);

        Node identity = Assert.Single(Graph.Nodes);
        Assert.Equal(("Identity", "y"), (identity.OpType, identity.Output.Name));
        Assert.Equal(Shape.Of(2), identity.Output.Shape);
        Assert.Equal(["x"], Graph.Inputs.Select(i => i.Name));
    }

    [Fact]
    public void A_removed_node_gives_up_what_its_subgraphs_use()
    {
        Value condition = Graph.AddInput("c", ElementType.Bool);
        Value x = Graph.AddInput("x", ElementType.Float);
        var branch = new Graph("then", Graph);
        branch.AddOutput(branch.Append("Relu", [x], ["r"]).Output);
        Node node = Graph.Append("If", [condition], ["y"], [NodeAttribute.Of("then_branch", branch)]);

        Assert.Single(x.Uses);
        Assert.Same(node, branch.Owner);

        Graph.Remove(node);

        Assert.Empty(x.Uses);
    }

    [Fact]
    public void Fresh_names_avoid_every_name_of_the_model()
    {
        Graph.AddInput("x");
        var inner = new Graph("inner", Graph);
        inner.AddInput("x_1");

        Assert.Equal("y", Graph.FreshName("y"));
        Assert.Equal("x_2", Graph.FreshName("x"));
    }

    [Fact]
    public void An_initializer_that_is_also_an_input_is_no_constant()
    {
        Value fixedValue = Graph.AddInitializer("w", Tensor.Of([1f, 2f], 2));
        Value overridable = Graph.AddInput("v", ElementType.Float, Shape.Of(1));
        Graph.SetInitializer(overridable, Tensor.Of([3f], 1));

        Assert.NotNull(fixedValue.Constant);
        Assert.Null(overridable.Constant);
        Assert.NotNull(overridable.Initializer);
        Assert.Equal(1, Graph.RemoveUnusedInitializers());
        Assert.Equal(["v"], Graph.Initializers.Select(i => i.Name));
    }

    [Fact]
    public void Reorder_wants_every_node_once()
    {
        Value x = Graph.AddInput("x");
        Node a = Graph.Append("Relu", [x], ["a"]);
        Node b = Graph.Append("Relu", [x], ["b"]);

        Assert.Throws<InvalidOperationException>(() => Graph.Reorder([a]));
        Assert.Throws<InvalidOperationException>(() => Graph.Reorder([a, a]));

        Graph.Reorder([b, a]);

        Assert.Equal([b, a], Graph.Nodes);
        Assert.Equal([a, b], Graph.Nodes.Backwards());
    }
}
