using SamCompress.IR;

namespace SamCompress.Runtime.Observers;

/// <summary>Nodes, inputs and outputs that are added to a model while a session is opened, and taken away again.</summary>
internal sealed class TemporaryNodes : IDisposable
{
    private readonly Graph _graph;
    private readonly string _stem;
    private readonly Dictionary<string, Value> _values;
    private readonly List<Node> _nodes = [];
    private readonly int _inputsBefore;
    private readonly int _outputsBefore;

    /// <param name="stem">The name of new values, to which a number is added.</param>
    public TemporaryNodes(Model model, string stem)
    {
        _stem = stem;
        _graph = model.Graph;
        _values = _graph.Inputs.Concat(_graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>()).DistinctBy(v => v.Name).ToDictionary(v => v.Name, StringComparer.Ordinal);
        _inputsBefore = _graph.Inputs.Count;
        _outputsBefore = _graph.Outputs.Count;
    }

    /// <exception cref="InvariantException">The model has no such value.</exception>
    public Value Find(string name) => _values.GetValueOrDefault(name) ?? throw new InvariantException($"the model has no value '{name}' to observe");

    public Value Input(string stem, Shape? shape = null, ElementType type = ElementType.Float) => _graph.AddInput(_graph.FreshName(stem), type, shape);

    public Value Constant(Tensor tensor) => Add("Constant", [], NodeAttribute.Of("value", tensor));

    public Value Add(string opType, IReadOnlyList<Value?> inputs, params NodeAttribute[] attributes)
    {
        Node node = _graph.Append(opType, inputs, [_graph.FreshName(_stem)], attributes);
        _nodes.Add(node);
        return node.Output;
    }

    /// <summary>Makes a value of a temporary node an output.</summary>
    /// <returns>Its name.</returns>
    public string Output(Value value, ElementType type = ElementType.Float)
    {
        value.ElementType = type;
        _graph.AddOutput(value);
        return value.Name;
    }

    public void Dispose()
    {
        while (_graph.Outputs.Count > _outputsBefore)
            _graph.RemoveOutput(_graph.Outputs.Count - 1);
        for (int i = _nodes.Count - 1; i >= 0; i--)
            _graph.Remove(_nodes[i]);
        while (_graph.Inputs.Count > _inputsBefore)
            _graph.RemoveInput(_graph.Inputs.Count - 1);
    }
}
