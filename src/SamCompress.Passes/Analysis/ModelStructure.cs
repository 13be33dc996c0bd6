using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>
/// Counts the modules of a model whose shapes have been inferred: the decomposed forms of exporters and the operators that they are fused to count
/// alike. What does not depend on the data of an input is not counted.
/// </summary>
public sealed class ModelStructure
{
    private const int FarthestSearched = 16;

    private readonly ConstantFlow _constants;
    private readonly LogitsFlow _logits;
    private readonly List<Node> _nodes;

    private ModelStructure(Model model)
    {
        _constants = new ConstantFlow(model.Graph);
        _logits = new LogitsFlow(_constants);
        _nodes = [.. model.AllGraphs().SelectMany(g => g.Nodes).Where(n => !_constants.IsConstant(n))];
    }

    public static StructureCounts Count(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var structure = new ModelStructure(model);
        HashSet<Node> attention = structure.AttentionProducts();
        int fused = structure._nodes.Count(MacCounter.IsFusedAttention);
        Node[] fixedProducts = [.. structure.Products(constantOperand: true)];
        int positions = fixedProducts.Count(structure._logits.IsPositionProduct);
        int codes = fixedProducts.Count(n => Reached(n.Output, IsPeriodic, FarthestSearched).Any());
        int channels = structure._nodes.Count(structure.IsChannelNormalization);
        return new StructureCounts
        {
            Softmax = structure._nodes.Count(IsSoftmax) + fused,
            AttentionProducts = attention.Count + (2 * fused),
            OtherProducts = structure.Products(constantOperand: false).Count(n => !attention.Contains(n)),
            RelativePositions = positions,
            Linear = fixedProducts.Length - positions - codes,
            PositionalCodes = codes,
            LayerNormalizations = structure._nodes.Count(structure.IsNormalization) - channels,
            ChannelNormalizations = channels,
            Gelu = structure._nodes.Count(structure.IsGelu),
            Relu = structure.Of("Relu"),
            Convolutions = structure.Of("Conv", "ConvInteger", "QLinearConv", "FusedConv"),
            TransposedConvolutions = structure.Of("ConvTranspose"),
            WindowPads = structure.WindowPads(),
            Resize = structure.Of("Resize", "Upsample"),
        };
    }

    private int Of(params string[] opTypes) => _nodes.Count(n => opTypes.Contains(n.OpType, StringComparer.Ordinal));

    private IEnumerable<Node> Products(bool constantOperand) => _nodes.Where(n => IsProduct(n, constantOperand));

    private bool IsProduct(Node node, bool constantOperand) =>
        !MacCounter.IsFusedAttention(node)
        && !MacCounter.IsConvolution(node)
        && MacCounter.Operands(node) is ({ } left, { } right)
        && (_constants.IsConstant(left) || _constants.IsConstant(right)) == constantOperand;

    /// <summary>A product of activations is attention when it leads to a Softmax or to another one, or is led to by one.</summary>
    private HashSet<Node> AttentionProducts()
    {
        var attention = new HashSet<Node>();
        bool IsMember(Node node) => IsSoftmax(node) || IsProduct(node, constantOperand: false);
        foreach (Node node in _nodes.Where(IsMember))
        {
            Node[] reached = [.. Reached(node.Output, IsMember, FarthestSearched)];
            if (reached.Length > 0)
                attention.UnionWith([node, .. reached]);
        }

        attention.RemoveWhere(IsSoftmax);
        return attention;
    }

    /// <summary>The nodes of a kind that read the value, or what it becomes by moving, scaling, shifting, or in another type.</summary>
    private static IEnumerable<Node> Reached(Value value, Func<Node, bool> isGoal, int steps) => steps == 0 ? [] : value.Uses.SelectMany(use =>
        isGoal(use.Node) ? [use.Node]
        : Carries(use) ? use.Node.Outputs.OfType<Value>().SelectMany(o => Reached(o, isGoal, steps - 1))
        : []);

    private static bool Carries(Use use) => use.Node.OpType switch
    {
        "Reshape" or "Unsqueeze" or "Squeeze" or "Flatten" or "Expand" or "Transpose" or "Slice" or "Split" or "Gather" or "Pad"
            or "Cast" or "Identity" or "QuantizeLinear" or "DequantizeLinear" => use.InputIndex == 0,
        "Add" or "Sub" or "Mul" or "Concat" => true,
        "Div" => use.InputIndex == 0,
        _ => false,
    };

    private static bool IsSoftmax(Node node) => node.OpType is "Softmax" or "BiasSoftmax" or "QLinearSoftmax";

    private static bool IsPeriodic(Node node) => node.OpType is "Sin" or "Cos";

    /// <summary>The operator, or the square root of the variance: Sqrt(Add(ReduceMean(Pow or Mul), epsilon)).</summary>
    private bool IsNormalization(Node node) =>
        node.OpType is "LayerNormalization" or "SkipLayerNormalization" || Variance(node) is not null;

    private bool IsChannelNormalization(Node node)
    {
        if (node.OpType == "LayerNormalization")
            return IsTranspose(node.Input(0)?.Producer, [0, 2, 3, 1]) && node.Output.Uses is [{ Node: var next }] && IsTranspose(next, [0, 3, 1, 2]);
        return Variance(node) is { } mean && mean.Input(0)!.Shape is { Rank: 4 } && Axis(mean) is 1 or -3;
    }

    private Node? Variance(Node node) =>
        node.Is("Sqrt")
        && node.Input(0)?.Producer is { OpType: "Add" } sum
        && sum.Inputs.FirstOrDefault(i => !_constants.IsConstant(i!))?.Producer is { OpType: "ReduceMean" } mean
        && mean.Input(0)?.Producer is { OpType: "Pow" or "Mul" }
        ? mean
        : null;

    /// <summary>The one axis of a reduction, or null.</summary>
    private static long? Axis(Node reduction)
    {
        if (reduction.GetInts("axes") is { } axes)
            return axes is [var one] ? one : null;
        Value? input = reduction.Input(1);
        Tensor? tensor = input?.Constant ?? (input?.Producer is { OpType: "Constant" } constant && constant.Attribute("value") is { Tensors: [var value] } ? value : null);
        return tensor is { ElementType: ElementType.Int64, Count: 1 } ? tensor.ToInt64s()[0] : null;
    }

    private static bool IsTranspose(Node? node, long[] permutation) => node is { OpType: "Transpose" } && node.GetInts("perm")?.SequenceEqual(permutation) == true;

    /// <summary>The operator; x / 2 (1 + erf(x / sqrt 2)) by its Erf; the approximation by its tanh, to which one is added before it becomes a factor.</summary>
    private bool IsGelu(Node node) => node.OpType switch
    {
        "Gelu" or "FastGelu" or "QuickGelu" or "BiasGelu" or "Erf" => true,
        "Tanh" => node.Output.Uses is [{ Node: { OpType: "Add" } sum }]
            && sum.Inputs.Any(i => i is not null && _constants.IsConstant(i))
            && sum.Output.Uses.Any(u => u.Node.OpType == "Mul"),
        _ => false,
    };

    /// <summary>As many paddings of two axes as there are chains of Slice that undo them.</summary>
    private int WindowPads()
    {
        var pads = _nodes
            .Where(n => n.Is("Pad") && n.Input(0)?.Shape is { Rank: 4 } from && n.Output.Shape is { Rank: 4 } to && from.Zip(to).Count(d => d.First != d.Second) == 2)
            .GroupBy(n => (Inner: n.Input(0)!.Shape!, Outer: n.Output.Shape!));
        List<(Shape? Inner, Shape? Outer)> crops = [.. _nodes.Where(n => n.Is("Slice") && n.Input(0)?.Producer?.OpType != "Slice").Select(n => (Cropped(n).Shape, n.Input(0)!.Shape))];
        return pads.Sum(p => Math.Min(p.Count(), crops.Count(c => Equals(c.Inner, p.Key.Inner) && Equals(c.Outer, p.Key.Outer))));
    }

    private static Value Cropped(Node slice) => slice.Output.Uses is [{ Node: { OpType: "Slice" } next, InputIndex: 0 }] ? Cropped(next) : slice.Output;
}
