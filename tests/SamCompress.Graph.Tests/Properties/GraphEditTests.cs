using FsCheck.Xunit;
using SamCompress.IR.Analysis;
using SamCompress.Testing;

namespace SamCompress.IR.Tests.Properties;

/// <summary>Whatever is done to a graph through its public members, its use lists are right, it is sound, and files hold it without loss.</summary>
public sealed class GraphEditTests
{
    private const int Kinds = 8;

    /// <param name="edits">Each number is one edit: what is done by its remainder, where by the rest.</param>
    [Property(MaxTest = 300, Replay = "20261128,7")]
    public void Any_edits_leave_a_sound_graph_that_files_hold(int[] edits)
    {
        using Model model = ModelText.Parse("g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { a = Relu(x) b = Add(a, w) y = Mul(b, a) }", opset: 17);
        foreach (int edit in edits)
        {
            Apply(model.Graph, edit & int.MaxValue);
            Uses_are_right(model.Graph);
        }

        ShapeInference.Infer(model);
        Assert.DoesNotContain(GraphChecker.Check(model), f => f.Severity == Severity.Error);
        byte[] bytes = OnnxWriter.Serialize(model);
        using Model read = OnnxReader.Parse(bytes);
        Assert.Equal(bytes, OnnxWriter.Serialize(read));
        Assert.Equal(WithoutTypes(model), WithoutTypes(read));
    }

    /// <summary>A value that was an output once keeps its type in memory, which the file declares of outputs only.</summary>
    private static string WithoutTypes(Model model) => string.Join('\n', ModelText.Print(model).Split('\n').Select(line => line.Split("  #")[0]));

    private static void Apply(Graph graph, int edit)
    {
        int kind = edit % Kinds, place = edit / Kinds;
        Node[] nodes = [.. graph.Nodes];
        Value[] values = [.. graph.Inputs, .. graph.Initializers, .. nodes.Select(n => n.Output)];
        Node node = nodes[place % nodes.Length];
        Value[] before = [.. graph.Inputs, .. graph.Initializers, .. nodes.TakeWhile(n => n != node).Select(n => n.Output)];
        switch (kind)
        {
            case 0:
                graph.Append("Neg", [values[place % values.Length]], [graph.FreshName("n")]);
                break;
            case 1:
                graph.InsertBefore(node, "Add", [before[place % before.Length], before[place / 3 % before.Length]], [graph.FreshName("s")]);
                break;
            case 2:
                node.ReplaceInput(place / 5 % node.Inputs.Count, before[place % before.Length]);
                break;
            case 3 when node.Output.IsUsed:
                Assert.Throws<InvalidOperationException>(() => graph.Remove(node));
                break;
            case 3 when nodes.Length > 1:
                graph.Remove(node);
                break;
            case 4:
                graph.AddInitializer(graph.FreshName("c"), Tensor.Of([place, 1f], 2));
                break;
            case 5:
                graph.Substitute(node.Output, before[place % before.Length]);
                break;
            case 6:
                graph.RemoveUnusedInitializers();
                break;
            case 7:
                node.Name = graph.FreshName("node");
                break;
        }
    }

    private static void Uses_are_right(Graph graph)
    {
        var read = new Dictionary<Value, int>();
        foreach (Node node in graph.Nodes)
        {
            Assert.Same(node, node.Output.Producer);
            foreach (Value? input in node.Inputs)
                read[input!] = read.GetValueOrDefault(input!) + 1;
        }

        foreach (Value value in graph.Inputs.Concat(graph.Initializers).Concat(graph.Nodes.Select(n => n.Output)))
        {
            Assert.Equal(read.GetValueOrDefault(value), value.Uses.Count);
            Assert.All(value.Uses, use => Assert.Same(value, use.Node.Inputs[use.InputIndex]));
            Assert.Equal(graph.Outputs.Contains(value), value.IsGraphOutput);
        }
    }
}
