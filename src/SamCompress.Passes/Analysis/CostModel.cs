using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>
/// Counts parameters, multiply-accumulate operations and activation memory of a graph whose shapes have been inferred.
/// Subgraphs count once, whatever their condition or trip count. Reads no tensor data.
/// </summary>
public sealed class CostModel
{
    private readonly ConstantFlow _flow;
    private readonly List<Node> _nodes;
    private readonly Graph _graph;

    private CostModel(Graph graph)
    {
        _graph = graph;
        _flow = new ConstantFlow(graph);
        _nodes = [.. WithSubgraphs(graph)];
    }

    public static ModelCost Measure(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var cost = new CostModel(model.Graph);
        (MacCounts macs, IReadOnlyList<string> uncounted) = cost.CountMacs();
        (long peak, Node? at) = ActivationMemory.Peak(model.Graph);
        return new ModelCost
        {
            Parameters = cost.CountParameters(),
            Macs = macs,
            Uncounted = uncounted,
            PeakActivationBytes = peak,
            PeakNode = at?.ToString(),
        };
    }

    /// <summary>The multiply-accumulate operations of one node; null when it has none, or a shape is not known.</summary>
    public static long? MacsOf(Node node) => MacCounter.Count(node);

    private static IEnumerable<Node> WithSubgraphs(Graph graph) =>
        graph.Nodes.SelectMany(node => node.Subgraphs.SelectMany(WithSubgraphs).Prepend(node));

    private (MacCounts Macs, IReadOnlyList<string> Uncounted) CountMacs()
    {
        long linear = 0, attention = 0, relativePosition = 0;
        var uncounted = new List<string>();
        foreach (Node node in _nodes)
        {
            if (MacCounter.Operands(node) is not ({ } left, { } right) || (_flow.IsConstant(left) && _flow.IsConstant(right)))
                continue;
            if (MacCounter.Count(node) is not { } macs)
                uncounted.Add(node.ToString());
            else if (!_flow.IsConstant(left) && !_flow.IsConstant(right))
                attention += macs;
            else if (IsRelativePosition(node))
                relativePosition += macs;
            else
                linear += macs;
        }

        return (new MacCounts(linear, attention, relativePosition), uncounted);
    }

    /// <summary>A product with a constant that differs from row to row of the batch (rank 3 or more), whose result is added to the logits of a softmax.</summary>
    private bool IsRelativePosition(Node node) =>
        node.OpType is "MatMul" or "Einsum"
        && MacCounter.Operands(node) is ({ } left, { } right)
        && (_flow.IsConstant(left) ? left : right).Shape is { Rank: >= 3 }
        && LogitsFlow.ReachesSoftmaxByAddition(node.Output);

    private long CountParameters()
    {
        long count = 0;
        foreach (Value value in Initializers())
            count += value.Initializer is { } tensor && IsTrained(value, tensor) ? LogitsFlow.TrainedElements(value, tensor) : 0;
        foreach (Node node in _nodes.Where(n => n.OpType == "Constant" && n.Attribute("value") is { Tensors.Count: 1 }))
        {
            Tensor tensor = node.Attribute("value")!.Tensor;
            if (tensor.Count > 1 && IsTrained(node.Output, tensor) && node.Output.Uses.Any(u => u.Node.Outputs.Any(o => o is not null && !_flow.IsConstant(o))))
                count += LogitsFlow.TrainedElements(node.Output, tensor);
        }

        return count;
    }

    private IEnumerable<Value> Initializers() => _nodes.Select(n => n.Graph!).Append(_graph).Distinct().SelectMany(g => g.Initializers);

    /// <summary>A used tensor of numbers that is no scalar, and neither the size of something nor the scale or zero point of a quantized one.</summary>
    private static bool IsTrained(Value value, Tensor tensor) =>
        tensor.Rank > 0
        && value.Uses.Any(use => tensor.ElementType.IsFloatingPoint() ? !IsSetting(use) : IsIntegerWeight(use));

    private static bool IsSetting(Use use) => use.Node.OpType switch
    {
        "Resize" or "Upsample" or "Pad" or "Clip" => use.InputIndex > 0,
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
