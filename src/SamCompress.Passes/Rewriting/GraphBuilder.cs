using SamCompress.IR;
using SamCompress.IR.Analysis;

namespace SamCompress.Passes.Rewriting;

/// <summary>
/// Makes new nodes before an anchor node, or at the end of a graph, under fresh names, with element types and shapes inferred.
/// <see cref="Discard"/> takes all of them away again, so that a change is made whole or not at all.
/// </summary>
public sealed class GraphBuilder
{
    private readonly Node? _anchor;
    private readonly string _stem;
    private readonly List<Node> _nodes = [];

    /// <param name="anchor">New nodes stand before it, in the order they are made.</param>
    /// <param name="stem">What the names of new values start with; default: the name of the anchor's first output.</param>
    public GraphBuilder(Model model, Node anchor, string? stem = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(anchor);
        Model = model;
        _anchor = anchor;
        Graph = anchor.Graph ?? throw new InvalidOperationException($"{anchor} is in no graph");
        _stem = stem ?? anchor.Outputs.FirstOrDefault(o => o is not null)?.Name ?? "value";
    }

    /// <summary>Makes new nodes at the end of a graph.</summary>
    /// <param name="stem">What the names of new values start with.</param>
    /// <param name="graph">The model's own when null; or one that will be a subgraph of it.</param>
    public GraphBuilder(Model model, string stem, Graph? graph = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        Model = model;
        Graph = graph ?? model.Graph;
        _stem = stem;
    }

    public Model Model { get; }

    public Graph Graph { get; }

    /// <summary>The version of the standard operators.</summary>
    public long Opset => Model.Opset();

    /// <summary>The nodes made so far.</summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>A new node with one output.</summary>
    public Value Op(string opType, IReadOnlyList<Value?> inputs, IEnumerable<NodeAttribute>? attributes = null, string domain = OperatorDomain.Onnx) =>
        Op(opType, inputs, 1, attributes, domain)[0];

    /// <summary>A new node with several outputs. The model imports the contributed operators when it is the first of them.</summary>
    public IReadOnlyList<Value> Op(string opType, IReadOnlyList<Value?> inputs, int outputs, IEnumerable<NodeAttribute>? attributes = null, string domain = OperatorDomain.Onnx)
    {
        if (domain == OperatorDomain.Microsoft)
            Model.ImportOpset(domain, 1);
        var names = new string[outputs];
        for (int i = 0; i < outputs; i++)
            names[i] = Graph.FreshName(outputs == 1 ? $"{_stem}_{opType}" : $"{_stem}_{opType}_{(char)('a' + i)}");
        Node node = Graph.InsertBefore(_anchor, opType, inputs, names, attributes, domain);
        _nodes.Add(node);
        ShapeInference.Infer(Model, node);
        return [.. node.Outputs.Select(o => o!)];
    }

    /// <summary>A new initializer. Those that end up unused are removed by cleanup.</summary>
    public Value Constant(Tensor tensor, string? stem = null) => Graph.AddInitializer(Graph.FreshName(stem ?? _stem + "_constant"), tensor);

    public Value Constant(float value) => Constant(Tensor.Scalar(value));

    /// <summary>A vector of int64, for shapes and axes.</summary>
    public Value Vector(params ReadOnlySpan<long> elements) => Constant(Tensor.Vector(elements));

    public Value Identity(Value x) => Op("Identity", [x]);

    public Value Add(Value a, Value b) => Op("Add", [a, b]);

    public Value Sub(Value a, Value b) => Op("Sub", [a, b]);

    public Value Mul(Value a, Value b) => Op("Mul", [a, b]);

    public Value Div(Value a, Value b) => Op("Div", [a, b]);

    public Value MatMul(Value a, Value b) => Op("MatMul", [a, b]);

    public Value Gelu(Value x, string approximate = "none") => Op("Gelu", [x], approximate == "none" ? [] : [NodeAttribute.Of("approximate", approximate)]);

    public Value Softmax(Value x, long axis) => Op("Softmax", [x], [NodeAttribute.Of("axis", axis)]);

    public Value Cast(Value x, ElementType to) => Op("Cast", [x], [NodeAttribute.Of("to", (long)to)]);

    /// <summary>Reduces axes to length 1. They are an input of ReduceSum from opset 13 on, and of the other reductions from 18 on.</summary>
    public Value Reduce(string opType, Value x, IReadOnlyList<long> axes) => Opset >= (opType == "ReduceSum" ? 13 : 18)
        ? Op(opType, [x, Vector([.. axes])])
        : Op(opType, [x], [NodeAttribute.Of("axes", axes)]);

    public Value Reshape(Value x, params ReadOnlySpan<long> shape) => Op("Reshape", [x, Constant(Tensor.Vector(shape), _stem + "_shape")]);

    public Value Transpose(Value x, params IReadOnlyList<long> permutation) => Op("Transpose", [x], [NodeAttribute.Of("perm", permutation)]);

    /// <summary>Each channel of a map behind a kernel of its own; padded, so that the map keeps its sides.</summary>
    /// <param name="map">[1, channels, height, width].</param>
    /// <param name="kernels">Constant, [channels, 1, side, side], the side odd.</param>
    public Value DepthwiseConvolution(Value map, Value kernels)
    {
        Tensor constant = kernels.Constant ?? throw new InvariantException($"{kernels} is no constant");
        long side = constant.Dimensions[3];
        NodeAttribute[] attributes =
        [
            NodeAttribute.Of("group", constant.Dimensions[0]),
            NodeAttribute.Of("kernel_shape", Enumerable.Repeat(side, 2)),
            NodeAttribute.Of("pads", Enumerable.Repeat(side / 2, 4)),
        ];
        return Op("Conv", [map, kernels], attributes);
    }

    public Value Concat(IReadOnlyList<Value> parts, long axis) => Op("Concat", parts, [NodeAttribute.Of("axis", axis)]);

    /// <summary>Elements from <paramref name="start"/> to before <paramref name="end"/> along one axis.</summary>
    public Value Slice(Value x, long axis, long start, long end, long step = 1) =>
        step == 1
            ? Op("Slice", [x, Vector(start), Vector(end), Vector(axis)])
            : Op("Slice", [x, Vector(start), Vector(end), Vector(axis), Vector(step)]);

    /// <summary>Removes every node made, last first. Their outputs must be unused.</summary>
    public void Discard()
    {
        for (int i = _nodes.Count - 1; i >= 0; i--)
            Graph.Remove(_nodes[i]);
        _nodes.Clear();
    }
}
