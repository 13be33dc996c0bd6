using SamCompress.IR;

namespace SamCompress.Passes.Quantization;

public enum LayerKind
{
    Linear,
    Conv,
    ConvTranspose,

    /// <summary>The product of two activations before or behind the Softmax of attention; see <see cref="AttentionProductFinder"/>.</summary>
    AttentionMatMul,
}

/// <summary>A multiplication with a constant weight, and the addition of a constant bias behind it.</summary>
public sealed record QuantizableLayer
{
    public required LayerKind Kind { get; init; }

    /// <summary>MatMul, Gemm, Conv or ConvTranspose.</summary>
    public required Node Node { get; init; }

    public required Value Input { get; init; }

    /// <summary>The weight as it is stored: float, for a Linear a matrix.</summary>
    public required Tensor Weight { get; init; }

    /// <summary>The name of the stored weight.</summary>
    public required string WeightName { get; init; }

    /// <summary>The axis of the output channels in <see cref="Weight"/>. For a Linear 1, or 0 when it is stored transposed.</summary>
    public required int WeightAxis { get; init; }

    public Tensor? Bias { get; init; }

    /// <summary>The Add behind a MatMul; null when the bias is an input of the node itself, or there is none.</summary>
    public Node? BiasAdd { get; init; }

    public required int InputChannels { get; init; }

    public required int OutputChannels { get; init; }

    public int Groups { get; init; } = 1;

    /// <summary>Whether each output channel of a convolution sees one input channel.</summary>
    public bool IsDepthwise => Groups > 1 && Groups == InputChannels;

    /// <summary>Whether no other layer comes behind it, so that nothing evens out the error of its output.</summary>
    public bool IsLast { get; init; }

    /// <summary>The axis of the channels in the input: the last one of a Linear.</summary>
    public int InputChannelAxis => Kind == LayerKind.Linear ? -1 : 1;

    /// <summary>The result with the bias.</summary>
    public Value Output => (BiasAdd ?? Node).Output;

    /// <summary>For selection and reports: the node's name, or else its output's.</summary>
    public string Name => Node.Name.Length > 0 ? Node.Name : Node.Output.Name;
}

/// <summary>Finds the layers of a graph, in its order. Nodes of subgraphs are not looked at.</summary>
/// <remarks>
/// Linear: MatMul(x, W), its W a constant matrix or the transposition of one, with or without Add(bias of N elements);
/// not where the product is added to the logits of a Softmax;
/// Gemm(x, W, bias) without transA, with alpha = beta = 1. Conv and ConvTranspose with constant weight and bias. All of float.
/// </remarks>
public static class LayerFinder
{
    public static IReadOnlyList<QuantizableLayer> Find(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var layers = graph.Nodes.Select(Recognize).OfType<QuantizableLayer>().ToList();
        HashSet<Node> leading = LeadingTo(graph, [.. layers.Select(l => l.Node)]);
        return [.. layers.Select(l => leading.Contains(l.Node) ? l : l with { IsLast = true })];
    }

    /// <summary>The nodes behind which one of some nodes follows, or a subgraph, of which nothing is known.</summary>
    private static HashSet<Node> LeadingTo(Graph graph, HashSet<Node> ends)
    {
        var leading = new HashSet<Node>();
        foreach (Node node in graph.Nodes.Backwards())
        {
            if (node.Outputs.Any(o => o is not null && o.Uses.Any(u => u.Node.Graph != graph || ends.Contains(u.Node) || leading.Contains(u.Node))))
                leading.Add(node);
        }

        return leading;
    }

    private static QuantizableLayer? Recognize(Node node) => (node.Domain, node.OpType) switch
    {
        (OperatorDomain.Onnx, "MatMul") => MatMul(node),
        (OperatorDomain.Onnx, "Gemm") => Gemm(node),
        (OperatorDomain.Onnx, "Conv") => Convolution(node, LayerKind.Conv),
        (OperatorDomain.Onnx, "ConvTranspose") => Convolution(node, LayerKind.ConvTranspose),
        _ => null,
    };

    private static QuantizableLayer? MatMul(Node node)
    {
        if (node.Input(0) is not { } input || node.Input(1) is not { } right || ConstantOf(input) is not null)
            return null;
        int axis = 1;
        if (right.Producer is { } transpose && transpose.Is("Transpose") && IsMatrixTransposition(transpose))
        {
            right = transpose.Input(0)!;
            axis = 0;
        }

        if (FloatConstant(right) is not { Rank: 2 } weight || IsAddedToLogits(node.Output))
            return null;
        int channels = (int)weight.Dimensions[axis];
        Node? add = BiasAddBehind(node.Output, channels, out Tensor? bias);
        return Linear(node, input, weight, right.Name, axis, bias, add);
    }

    private static QuantizableLayer? Gemm(Node node)
    {
        if (node.GetInt("transA", 0) != 0 || node.GetFloat("alpha", 1) != 1 || node.GetFloat("beta", 1) != 1)
            return null;
        if (node.Input(0) is not { } input || ConstantOf(input) is not null || node.Input(1) is not { } right || FloatConstant(right) is not { Rank: 2 } weight)
            return null;
        int axis = node.GetInt("transB", 0) != 0 ? 0 : 1;
        int channels = (int)weight.Dimensions[axis];
        Tensor? bias = node.Input(2) is { } third ? FloatConstant(third) : null;
        if (node.Input(2) is not null && (bias is null || bias.Count != channels || bias.Dimensions[^1] != channels))
            return null;
        return Linear(node, input, weight, right.Name, axis, bias, biasAdd: null);
    }

    private static QuantizableLayer Linear(Node node, Value input, Tensor weight, string weightName, int axis, Tensor? bias, Node? biasAdd) => new()
    {
        Kind = LayerKind.Linear,
        Node = node,
        Input = input,
        Weight = weight,
        WeightName = weightName,
        WeightAxis = axis,
        Bias = bias,
        BiasAdd = biasAdd,
        InputChannels = (int)weight.Dimensions[1 - axis],
        OutputChannels = (int)weight.Dimensions[axis],
    };

    private static QuantizableLayer? Convolution(Node node, LayerKind kind)
    {
        if (node.Input(0) is not { } input || node.Input(1) is not { } right || FloatConstant(right) is not { Rank: >= 3 } weight)
            return null;
        Tensor? bias = node.Input(2) is { } third ? FloatConstant(third) : null;
        if (node.Input(2) is not null && bias is null)
            return null;
        int groups = (int)node.GetInt("group", 1);
        bool forward = kind == LayerKind.Conv;
        return new QuantizableLayer
        {
            Kind = kind,
            Node = node,
            Input = input,
            Weight = weight,
            WeightName = right.Name,
            WeightAxis = forward ? 0 : 1,
            Bias = bias,
            InputChannels = checked((int)(forward ? weight.Dimensions[1] * groups : weight.Dimensions[0])),
            OutputChannels = checked((int)(forward ? weight.Dimensions[0] : weight.Dimensions[1] * groups)),
            Groups = groups,
        };
    }

    /// <summary>The only user of the product, when it adds a constant with one element for each channel.</summary>
    private static Node? BiasAddBehind(Value product, int channels, out Tensor? bias)
    {
        bias = null;
        if (product.Uses.Count != 1 || product.IsGraphOutput || !product.Uses[0].Node.Is("Add"))
            return null;
        Use use = product.Uses[0];
        if (use.Node.Graph != product.Graph || use.Node.Input(1 - use.InputIndex) is not { } other)
            return null;
        bias = FloatConstant(other) is { Rank: >= 1 } constant && constant.Count == channels && constant.Dimensions[^1] == channels ? constant : null;
        if (bias is { Rank: > 1 } && (product.Shape is null || bias.Rank > product.Shape.Rank))
            bias = null;
        return bias is null ? null : use.Node;
    }

    /// <summary>Whether a product with a basis of the keys is added to logits: a term for relative positions, whose errors a Softmax would see whole.</summary>
    private static bool IsAddedToLogits(Value product) => product.Uses is [{ Node: { OpType: "Add" } add }] && add.Output.Uses is [{ Node.OpType: "Softmax" }];

    private static bool IsMatrixTransposition(Node transpose) => transpose.GetInts("perm") is null or [1, 0];

    private static Tensor? FloatConstant(Value value) => ConstantOf(value) is { ElementType: ElementType.Float } tensor ? tensor : null;

    private static Tensor? ConstantOf(Value value) =>
        value.Constant ?? (value.Producer is { } node && node.Is("Constant") && node.Attribute("value") is { } attribute ? attribute.Tensor : null);
}
