using SamCompress.IR;

namespace SamCompress.Passes.Quantization.Emission;

/// <summary>The edits that quantizing a graph is made of. New names are derived from those of the float model.</summary>
internal sealed class GraphEditor(Graph graph)
{
    public Value Constant(string stem, Tensor tensor) => graph.AddInitializer(graph.FreshName(stem), tensor);

    /// <summary>Inserts a standard operator of one output before a node, or at the end.</summary>
    public Value Insert(Node? position, string opType, IReadOnlyList<Value?> inputs, string outputStem, string nodeName = "", params IReadOnlyList<NodeAttribute> attributes) =>
        Insert(position, opType, OperatorDomain.Onnx, inputs, outputStem, nodeName, attributes);

    /// <summary>The same for an operator that ONNX Runtime contributes.</summary>
    public Value InsertContributed(Node? position, string opType, IReadOnlyList<Value?> inputs, string outputStem, string nodeName = "", params IReadOnlyList<NodeAttribute> attributes) =>
        Insert(position, opType, OperatorDomain.Microsoft, inputs, outputStem, nodeName, attributes);

    /// <summary>Gives the place, type, shape and name of the output of a layer to what now computes it, and removes the nodes of the layer.</summary>
    public void Replace(Value old, Value result, params IReadOnlyList<Node?> layer)
    {
        string name = old.Name;
        result.ElementType = old.ElementType;
        result.Shape = old.Shape;
        graph.Substitute(old, result);
        foreach (Node node in layer.OfType<Node>())
            Remove(node);
        if (result.Name != name)
            result.Name = name;
    }

    /// <summary>Puts what is behind a value in its place for all who read it.</summary>
    public void Substitute(Value old, Value replacement) => graph.Substitute(old, replacement);

    /// <summary>Replaces an input, and removes the Transpose or Constant that made the old one when nothing else reads it.</summary>
    public static void ReplaceInput(Node node, int index, Value value)
    {
        Value? old = node.Inputs[index];
        node.ReplaceInput(index, value);
        RemoveIfUnused(old, "Transpose", "Constant");
    }

    /// <summary>Removes the node that makes a value which nothing reads, when it is one of these operators.</summary>
    public static void RemoveIfUnused(Value? value, params ReadOnlySpan<string> opTypes)
    {
        if (value is { IsUsed: false, Producer: { Graph: not null } producer } && opTypes.Contains(producer.OpType))
            Remove(producer);
    }

    private static void Remove(Node node)
    {
        Value?[] inputs = [.. node.Inputs];
        node.Graph!.Remove(node);
        foreach (Value? input in inputs)
            RemoveIfUnused(input, "Transpose", "Constant");
    }

    private Value Insert(
        Node? position, string opType, string domain, IReadOnlyList<Value?> inputs, string outputStem, string nodeName, IReadOnlyList<NodeAttribute> attributes)
    {
        string output = graph.FreshName(outputStem);
        return graph.InsertBefore(position, opType, inputs, [output], [.. attributes], domain, nodeName.Length > 0 ? nodeName : output).Output;
    }
}
