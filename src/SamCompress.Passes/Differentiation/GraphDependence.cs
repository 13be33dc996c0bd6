using SamCompress.IR;

namespace SamCompress.Passes.Differentiation;

/// <summary>Which values depend on what gradients are asked for, as real numbers or as quantized ones that stand for them, and which on the inputs of the model.</summary>
internal sealed class GraphDependence
{
    private readonly HashSet<Value> _onWanted;
    private readonly HashSet<Value> _onInputs;

    /// <param name="order">The nodes of a graph.</param>
    public GraphDependence(Graph graph, IReadOnlyList<Node> order, IEnumerable<Value> wanted)
    {
        _onWanted = [.. wanted];
        _onInputs = [.. graph.Inputs];
        foreach (Node node in order)
        {
            if (Reads(node).Any(_onWanted.Contains))
                _onWanted.UnionWith(node.Outputs.OfType<Value>().Where(o => o.ElementType.IsFloatingPoint() || StandsForReals(node)));
            if (Reads(node).Any(_onInputs.Contains))
                _onInputs.UnionWith(node.Outputs.OfType<Value>());
        }
    }

    public bool OnWanted(Value value) => _onWanted.Contains(value);

    public bool OnInputs(Value value) => _onInputs.Contains(value);

    /// <summary>Whether a node reads a value that depends on what gradients are asked for.</summary>
    public bool ReadsWanted(Node node) => Reads(node).Any(_onWanted.Contains);

    /// <summary>Whether a node makes quantized numbers, or moves some: their gradient is that of the real numbers.</summary>
    private bool StandsForReals(Node node) =>
        node.OpType == "QuantizeLinear" || (node.Input(0) is { } moved && !moved.ElementType.IsFloatingPoint() && _onWanted.Contains(moved));

    /// <summary>Also what its subgraphs read.</summary>
    private static IEnumerable<Value> Reads(Node node) =>
        node.Inputs.OfType<Value>().Concat(node.Subgraphs.SelectMany(g => g.Nodes.SelectMany(Reads).Concat(g.Outputs)));
}
