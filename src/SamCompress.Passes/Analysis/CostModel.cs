using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>
/// Counts parameters, multiply-accumulate operations, memory and its traffic of a graph whose shapes have been inferred.
/// The body of a loop counts for each trip, both branches of an If count. Reads no weights.
/// </summary>
public sealed class CostModel
{
    private readonly Graph _graph;
    private readonly ConstantFlow _constants;
    private readonly LogitsFlow _logits;
    private readonly List<(Node Node, long Runs)> _nodes = [];
    private readonly List<string> _uncounted = [];

    private CostModel(Graph graph)
    {
        _graph = graph;
        _constants = new ConstantFlow(graph);
        _logits = new LogitsFlow(_constants);
        Visit(graph, 1);
    }

    /// <exception cref="SamCompressException">A number is over 2^63 - 1.</exception>
    public static ModelCost Measure(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        try
        {
            return MeasureChecked(model);
        }
        catch (OverflowException e)
        {
            throw new SamCompressException(FailureKind.InputRejected, "the model has more than 2^63 - 1 elements, bytes or operations", "no machine could run it: export it again.", e) { Location = model.Path };
        }
    }

    private static ModelCost MeasureChecked(Model model)
    {
        var cost = new CostModel(model.Graph);
        Dictionary<Node, long> parameters = cost.ParametersByReader(out long total);
        List<NodeCost> nodes = [.. cost._nodes.Where(n => !cost._constants.IsConstant(n.Node)).Select(n => cost.Of(n.Node, n.Runs, parameters.GetValueOrDefault(n.Node)))];
        long Macs(MacKind kind) => nodes.Sum(n => n.Kind == kind ? n.Macs : 0);
        (long peak, Node? at) = ActivationMemory.Peak(model.Graph, cost._constants);
        return new ModelCost
        {
            Parameters = total,
            Macs = new MacCounts(Macs(MacKind.Linear), Macs(MacKind.Attention), Macs(MacKind.RelativePosition)),
            Uncounted = cost._uncounted,
            Nodes = nodes,
            PeakActivationBytes = peak,
            PeakNode = at?.ToString(),
            LargestTensor = cost.LargestTensor(),
        };
    }

    /// <summary>The multiply-accumulate operations of one node; null when it has none, or a shape is not known.</summary>
    public static long? MacsOf(Node node) => MacCounter.Count(node);

    private void Visit(Graph graph, long runs)
    {
        foreach (Node node in graph.Nodes)
        {
            _nodes.Add((node, runs));
            if (!node.Subgraphs.Any())
                continue;
            long? trips = TripCount.Of(node);
            if (trips is null)
                _uncounted.Add(node.ToString());
            foreach (Graph body in node.Subgraphs)
                Visit(body, checked(runs * (trips ?? 1)));
        }
    }

    private NodeCost Of(Node node, long runs, long parameters)
    {
        MacKind? kind = null;
        long macs = 0;
        if (MacCounter.Operands(node) is ({ } left, { } right))
        {
            kind = KindOf(node, left, right);
            if (MacCounter.Count(node) is { } counted)
                macs = checked(counted * runs);
            else
                _uncounted.Add(node.ToString());
        }

        long made = MemoryTraffic.IsView(node) ? 0 : Made(node).Sum(MemoryTraffic.Bytes);
        return new NodeCost(node.ToString(), node.OpType, kind, macs, parameters, checked(made * runs), checked(MemoryTraffic.Moved(node) * runs), runs);
    }

    private MacKind KindOf(Node node, Value left, Value right) =>
        MacCounter.IsFusedAttention(node) || (!_constants.IsConstant(left) && !_constants.IsConstant(right)) ? MacKind.Attention
        : _logits.IsPositionProduct(node) || _logits.IsBasisProduct(node) ? MacKind.RelativePosition
        : MacKind.Linear;

    private IEnumerable<Value> Made(Node node) => node.Outputs.OfType<Value>().Where(output => !_constants.IsConstant(output));

    private TensorCost? LargestTensor()
    {
        Value? largest = _nodes.SelectMany(n => Made(n.Node)).MaxBy(MemoryTraffic.Bytes);
        return largest is { Shape: { } shape } && MemoryTraffic.Bytes(largest) is > 0 and var bytes
            ? new TensorCost(largest.Name, largest.ElementType.TextName(), shape.ToString(), bytes)
            : null;
    }

    /// <summary>The trained elements, each at the first node that reads it with data.</summary>
    private Dictionary<Node, long> ParametersByReader(out long total)
    {
        var parameters = new Dictionary<Node, long>();
        total = 0;
        foreach ((Value value, Tensor tensor) in Trained())
        {
            long elements = _logits.TrainedElements(value, tensor);
            total += elements;
            if (_logits.Reader(value) is { } reader)
                parameters[reader] = parameters.GetValueOrDefault(reader) + elements;
        }

        return parameters;
    }

    private IEnumerable<(Value Value, Tensor Tensor)> Trained()
    {
        foreach (Value value in Initializers())
        {
            if (value.Initializer is { } tensor && IsTrained(value, tensor) && !IsCoordinate(value))
                yield return (value, tensor);
        }

        foreach ((Node node, _) in _nodes.Where(n => n.Node.OpType == "Constant"))
        {
            bool isRead = node.Output.Uses.Any(u => !_constants.IsConstant(u.Node));
            if (isRead && node.Attribute("value") is { Tensors: [{ Count: > 1 } tensor] } && IsTrained(node.Output, tensor))
                yield return (node.Output, tensor);
        }
    }

    /// <summary>Whether nothing is computed from a constant but integers, as the numbers of rows that are gathered from a table.</summary>
    private bool IsCoordinate(Value value) => !value.IsGraphOutput && value.Uses.All(use =>
        _constants.IsConstant(use.Node) && use.Node.Outputs.OfType<Value>().All(o => o.ElementType is ElementType.Int64 or ElementType.Int32 || (o.Uses.Count > 0 && IsCoordinate(o))));

    private IEnumerable<Value> Initializers() => _nodes.Select(n => n.Node.Graph!).Append(_graph).Distinct().SelectMany(g => g.Initializers);

    /// <summary>A used tensor of numbers that is no scalar, and neither the size of something nor the scale or zero point of a quantized one.</summary>
    private static bool IsTrained(Value value, Tensor tensor) =>
        tensor.Rank > 0
        && value.Uses.Any(use => tensor.ElementType.IsFloatingPoint() ? !IsSetting(use) : IsIntegerWeight(use));

    private static bool IsSetting(Use use) => use.Node.OpType switch
    {
        "Resize" or "Upsample" or "Pad" or "Clip" => use.InputIndex > 0,
        "BatchNormalization" => use.InputIndex is 3 or 4,
        "QuantizeLinear" or "DequantizeLinear" or "DynamicQuantizeMatMul" => use.InputIndex > 1 || (use.InputIndex == 1 && use.Node.OpType != "DynamicQuantizeMatMul"),
        "MatMulNBits" => use.InputIndex is 2 or 3,
        "MatMulIntegerToFloat" => use.InputIndex is >= 2 and <= 5,
        "QLinearConv" or "QLinearMatMul" or "QGemm" => true,
        _ => false,
    };

    private static bool IsIntegerWeight(Use use) => use.Node.OpType switch
    {
        "DequantizeLinear" => use.InputIndex == 0,
        "MatMulInteger" or "ConvInteger" or "MatMulIntegerToFloat" or "DynamicQuantizeMatMul" or "MatMulNBits" => use.InputIndex == 1,
        "QLinearConv" => use.InputIndex is 3 or 8,
        "QLinearMatMul" => use.InputIndex == 3,
        "QGemm" => use.InputIndex is 3 or 6,
        _ => false,
    };
}
