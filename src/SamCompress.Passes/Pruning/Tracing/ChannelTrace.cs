using SamCompress.IR;
using SamCompress.Passes.Analysis;

namespace SamCompress.Passes.Pruning.Tracing;

/// <summary>
/// Follows the channels of every constant through a graph of static shapes, in its order. Each axis of each value gets a label for each position, or none when the axis must stay
/// as it is. Every reader of an initializer sees labels of its own, so that constants which are equal by chance couple nothing.
/// </summary>
/// <remarks>What a node does to channels is in <see cref="ProductRules"/>, <see cref="MovementRules"/> and <see cref="PointwiseRules"/>. What has no rule there pins all that it reads.</remarks>
internal sealed class ChannelTrace
{
    private readonly Dictionary<Value, int[]?[]> _values = [];
    private readonly Dictionary<Use, int[]?[]> _constants = [];
    private readonly ConstantFlow _flow;

    private ChannelTrace(Graph graph)
    {
        _flow = new ConstantFlow(graph);
        foreach (Node node in graph.Nodes)
            Follow(node);
        foreach (Value output in graph.Outputs)
            PinAll(_values.GetValueOrDefault(output), $"'{output.Name}' is a graph output");
    }

    public ChannelLabels Labels { get; } = new();

    /// <summary>The initializers by reader, in the order of the graph, with the labels of their axes.</summary>
    public IReadOnlyDictionary<Use, int[]?[]> Constants => _constants;

    public static ChannelTrace Of(Graph graph) => new(graph);

    /// <summary>The labels of a value that a node computes; null when it was never seen.</summary>
    public int[]?[]? Of(Value value) => _values.GetValueOrDefault(value);

    /// <summary>The labels of an input for each axis. Its shape must be static.</summary>
    public int[]?[] Axes(Node node, int input)
    {
        Value value = node.Input(input)!;
        if (value.Constant is { } tensor)
        {
            var use = new Use(node, input);
            if (!_constants.TryGetValue(use, out int[]?[]? axes))
                _constants[use] = axes = [.. tensor.Dimensions.Select(size => size > 1 ? Labels.Fresh(size) : null)];
            return axes;
        }

        return _values.TryGetValue(value, out int[]?[]? known) ? known : new int[]?[value.Shape!.Rank];
    }

    public bool IsConstant(Value value) => _flow.IsConstant(value);

    /// <summary>Sets the labels of an output.</summary>
    public void Set(Value output, int[]?[] axes) => _values[output] = axes;

    private void Follow(Node node)
    {
        string? refusal = node.Inputs.Concat(node.Outputs).Any(v => v is not null && v.Shape?.IsStatic != true) ? "the shapes are not known" : Rule(node);
        if (refusal is null)
            return;
        string why = $"{node}: {refusal}";
        for (int i = 0; i < node.Inputs.Count; i++)
        {
            if (node.Input(i) is { Shape: not null })
                PinAll(Axes(node, i), why);
        }

        foreach (Value inner in node.Subgraphs.SelectMany(ReadFromOutside))
            PinAll(_values.GetValueOrDefault(inner), why);
        foreach (Value output in node.Outputs.OfType<Value>())
            _values[output] = new int[]?[output.Shape?.Rank ?? 0];
    }

    private string? Rule(Node node)
    {
        if (node.Subgraphs.Any())
            return "it holds a subgraph";
        if (PointwiseRules.Knows(node))
            return PointwiseRules.Apply(this, node);
        if (node.Domain.Length > 0)
            return "channels are not followed through this operator";
        return ProductRules.Knows(node) ? ProductRules.Apply(this, node) : MovementRules.Apply(this, node);
    }

    private static IEnumerable<Value> ReadFromOutside(Graph body) =>
        body.Nodes.SelectMany(n => n.Inputs.OfType<Value>().Where(v => v.Graph != body).Concat(n.Subgraphs.SelectMany(ReadFromOutside))).Concat(body.Outputs.Where(o => o.Graph != body));

    private void PinAll(int[]?[]? axes, string why)
    {
        foreach (int[]? axis in axes ?? [])
            Labels.Pin(axis, why);
    }
}
