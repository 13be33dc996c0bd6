using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Differentiation;

/// <summary>
/// Copies of forward nodes that the backward graph reads in place of activations that were not kept. The copies of a segment, which ends at a
/// checkpoint, depend on the gradient of that checkpoint, so that no runtime can execute them earlier; and that gradient depends on the gradients
/// asked for behind it, so that no runtime can put these off and hold on to what they read.
/// </summary>
/// <remarks>
/// A value is made to depend on others by a Reshape to its own shape, which shares its memory: the shape is concatenated with
/// no elements of the shapes of the others. Nothing may fold these nodes: neither our cleanup nor ONNX Runtime's constant folding.
/// </remarks>
internal sealed class Recomputation
{
    private readonly GraphBuilder _graph;
    private readonly Dictionary<Node, int> _segments = [];
    private readonly List<Value> _ends;
    private readonly HashSet<Value> _kept;
    private readonly GraphDependence _dependence;
    private readonly Dictionary<Value, Value> _copies = [];
    private readonly Dictionary<Value, Value> _late = [];
    private readonly HashSet<Value> _awaited = [];
    private Value? _token;
    private int _segment;

    /// <param name="order">The nodes of the forward graph.</param>
    public Recomputation(GraphBuilder graph, IReadOnlyList<Node> order, GraphDependence dependence, IReadOnlyCollection<Value> checkpoints)
    {
        if (checkpoints.Count > 0 && graph.Opset < 15)
            throw new SamCompressException(FailureKind.Unsupported, $"checkpoints need opset 15, and the model has {graph.Opset}");
        _graph = graph;
        _dependence = dependence;
        _kept = [.. checkpoints];
        _ends = [];
        foreach (Node node in order)
        {
            _segments.Add(node, _ends.Count);
            _ends.AddRange(node.Outputs.OfType<Value>().Where(_kept.Contains));
        }

        _segment = _ends.Count;
    }

    /// <summary>To be called before the gradient of each node is built, last node first: begins a new segment where the node is the last of one.</summary>
    /// <param name="wanted">The gradients asked for, as far as they are known.</param>
    public void Enter(Node node, Dictionary<Value, Value> gradients, IEnumerable<Value> wanted)
    {
        if (_segments[node] == _segment)
            return;
        _segment = _segments[node];
        _late.Clear();
        if (!gradients.TryGetValue(_ends[_segment], out Value? gradient))
            return;
        _awaited.Add(gradient);
        _token = gradients[_ends[_segment]] = After(gradient, [.. wanted.Where(gradients.ContainsKey).Select(w => gradients[w]).Where(_awaited.Add)]);
    }

    /// <summary>What the backward graph reads in place of a value of the forward graph.</summary>
    public Value Activation(Value value)
    {
        if (IsKept(value))
            return value;
        if (_copies.TryGetValue(value, out Value? copy))
            return copy;
        Node node = value.Producer!;
        IReadOnlyList<Value> outputs = _graph.Op(node.OpType, [.. node.Inputs.Select(i => i is null ? null : Late(i))], node.Outputs.Count, node.Attributes, node.Domain);
        for (int i = 0; i < outputs.Count; i++)
        {
            if (node.Outputs[i] is { } output)
                _copies[output] = outputs[i];
        }

        return _copies[value];
    }

    /// <summary>Behind the last checkpoint everything is still there; what depends on no input of the model is small and used more than once.</summary>
    private bool IsKept(Value value) => _kept.Contains(value) || value.Producer is null || _token is null || _segments[value.Producer] == _ends.Count
        || !_dependence.OnWanted(value) || !_dependence.OnInputs(value);

    /// <summary>What a copy reads.</summary>
    private Value Late(Value value)
    {
        if (!IsKept(value))
            return Activation(value);
        if (!_dependence.OnInputs(value))
            return value;
        if (!_late.TryGetValue(value, out Value? late))
            _late.Add(value, late = After(value, [_token!]));
        return late;
    }

    /// <summary>A value that is there only when others are.</summary>
    private Value After(Value value, IReadOnlyList<Value> others)
    {
        if (others.Count == 0)
            return value;
        IEnumerable<Value> nothing = others.Select(o => _graph.Op("Shape", [o], [NodeAttribute.Of("start", 0L), NodeAttribute.Of("end", 0L)]));
        Value shape = _graph.Concat([.. nothing, _graph.Vector(value.Shape!.ToStatic()!)], 0);
        Value late = _graph.Op("Reshape", [value, shape]);
        late.Shape = value.Shape;
        return late;
    }
}
