using SamCompress.IR;
using SamCompress.Passes.Cleanup;

namespace SamCompress.Passes.Batching;

/// <summary>How an operand must change when the first axis of its node's data is no longer 1.</summary>
internal enum BatchEditKind
{
    /// <summary>An operand that does not depend on the prompts, repeated for each of them.</summary>
    Repeat,

    /// <summary>The target of a Reshape.</summary>
    Target,

    /// <summary>The sizes of a Resize.</summary>
    Sizes,
}

internal readonly record struct BatchEdit(Node Node, int Input, BatchEditKind Kind);

/// <summary>Follows a first axis of size 1 through a graph: which values have it, and what must change for it to take another size.</summary>
/// <param name="sources">The values that it begins at.</param>
internal sealed class BatchAxis(IEnumerable<Value> sources)
{
    private static readonly HashSet<string> Elementwise =
    [
        "Abs", "Add", "And", "Cast", "Clip", "Cos", "Div", "Equal", "Erf", "Exp", "Floor", "Gelu", "Greater", "GreaterOrEqual", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Less",
        "LessOrEqual", "Max", "Min", "Mul", "Neg", "Not", "Or", "Pow", "Reciprocal", "Relu", "Sigmoid", "Sin", "Sqrt", "Sub", "Tanh", "Where",
    ];

    private readonly HashSet<Value> _members = [.. sources];

    /// <summary>Vectors that are the shape of such a value.</summary>
    private readonly HashSet<Value> _shapes = [];
    private readonly List<BatchEdit> _edits = [];

    /// <summary>The values that have the axis.</summary>
    public IReadOnlyCollection<Value> Values => _members;

    public IReadOnlyList<BatchEdit> Edits => _edits;

    /// <returns>The node that the axis does not get past, and why; null when it gets to the end.</returns>
    public (string Where, string Why)? Follow(Graph graph)
    {
        foreach (Node node in graph.Nodes)
        {
            if (node.Subgraphs.Any())
                return (node.ToString(), "it has a subgraph");
            if (!node.Inputs.Any(i => i is not null && (_members.Contains(i) || _shapes.Contains(i))))
                continue;
            if (Pass(node) is { } why)
                return (node.ToString(), why);
            (node.Is("Shape") ? _shapes : _members).UnionWith(node.Outputs.OfType<Value>());
        }

        return graph.Outputs.FirstOrDefault(o => !_members.Contains(o)) is { } output ? (SafeText.Of(output.Name), "this output would not have one row for each prompt") : null;
    }

    /// <returns>Why the axis does not come through the node, or null.</returns>
    private string? Pass(Node node)
    {
        if (node.Inputs.Any(i => i is not null && _shapes.Contains(i)) && !node.Is("Expand"))
            return "it computes with a shape";
        if (node.Output.Shape is not { Rank: > 0 } shape || (shape[0].Value != 1 && !node.Is("Shape")))
            return "the first axis of its output is not known to be 1";
        return node.Domain switch
        {
            OperatorDomain.Onnx when Elementwise.Contains(node.OpType) => Broadcasts(node, shape.Rank),
            OperatorDomain.Microsoft when node.OpType is "Gelu" or "QuickGelu" or "FastGelu" => Broadcasts(node, shape.Rank),
            OperatorDomain.Microsoft when node.OpType == "MultiHeadAttention" => Attends(node),
            OperatorDomain.Microsoft when node.OpType == "MatMulIntegerToFloat" => OnlyFirst(node) ?? (node.Input(2)?.Shape?.ElementCount == 1 ? null : "its rows have scales of their own"),
            OperatorDomain.Microsoft when node.OpType == "SkipLayerNormalization" => Adds(node),
            OperatorDomain.Microsoft when node.OpType == "FusedMatMul" && node.GetInt("transBatchA", 0) + node.GetInt("transBatchB", 0) == 0 => Multiplies(node, shape.Rank),
            OperatorDomain.Onnx => PassStandard(node, shape),
            _ => Unknown(node),
        };
    }

    private string? PassStandard(Node node, Shape shape)
    {
        int rank = node.Input(0)?.Shape?.Rank ?? 0;
        switch (node.OpType)
        {
            case "MatMul":
                return Multiplies(node, shape.Rank);
            case "Gemm":
                return OnlyFirst(node) ?? (node.GetInt("transA", 0) == 0 && node.Input(2)?.Shape is null or { Rank: < 2 } ? null : "it transposes, or adds a matrix");
            case "Conv" or "ConvTranspose":
                return OnlyFirst(node);
            case "Softmax" or "LogSoftmax" or "LayerNormalization":
                return OnlyFirst(node) ?? Along(node.GetInt("axis", -1), rank);
            case "Gather":
                return OnlyFirst(node) ?? Along(node.GetInt("axis", 0), rank);
            case "Split":
                return OnlyFirst(node) ?? Along(node.GetInt("axis", 0), rank);
            case "DequantizeLinear" or "QuantizeLinear":
                return OnlyFirst(node) ?? (node.Input(1)!.Shape?.Rank == 0 ? null : Along(node.GetInt("axis", 1), rank));
            case "ReduceMax" or "ReduceMean" or "ReduceMin" or "ReduceSum":
                return OnlyFirst(node) ?? Along(node.GetInts("axes") ?? node.Input(1).Integers(), rank);
            case "Slice":
                return OnlyFirst(node) ?? Along(node.Input(3).Integers(), rank);
            case "Squeeze":
                return OnlyFirst(node) ?? Along(node.GetInts("axes") ?? node.Input(1).Integers(), rank);
            case "Unsqueeze":
                return OnlyFirst(node) ?? Along(node.GetInts("axes") ?? node.Input(1).Integers(), shape.Rank);
            case "Transpose":
                return node.Permutation() is [0, ..] ? null : "it moves the first axis";
            case "Concat":
                return Along(node.GetInt("axis", 0), rank) ?? RepeatOthers(node, Enumerable.Range(0, node.Inputs.Count));
            case "Reshape":
                return Reshapes(node);
            case "Resize":
                return Resizes(node);
            case "Shape":
                return node.Attribute("start") is null && node.Attribute("end") is null ? null : "it takes a part of a shape";
            case "Expand":
                return Expands(node, shape);
            default:
                return Unknown(node);
        }
    }

    /// <summary>Operands without the axis are as if they had it with 1; those with it must have as many axes as the result, or another axis would meet it.</summary>
    private string? Broadcasts(Node node, int rank)
    {
        foreach (Value input in node.Inputs.OfType<Value>())
        {
            bool isAligned = input.Shape is { } shape && (_members.Contains(input) ? shape.Rank == rank : shape.Rank < rank || shape[0].Value == 1);
            if (!isAligned)
                return $"the axes of operand '{SafeText.Of(input.Name)}' do not fit";
        }

        return null;
    }

    /// <summary>Rows of a matrix are prompts when only the first operand depends on them.</summary>
    private string? Multiplies(Node node, int rank) => (rank < 3 ? OnlyFirst(node) : null) ?? Broadcasts(node, rank);

    private string? Attends(Node node)
    {
        if (node.Inputs.Skip(4).Any(i => i is not null) || node.Outputs.Skip(1).Any(o => o is { IsUsed: true }) || node.Input(3) is { Shape: not { Rank: 1 } })
            return "its attention has a mask, a bias of the logits or a past";
        return RepeatOthers(node, [0, 1, 2]);
    }

    private string? Adds(Node node) =>
        node.Inputs.Skip(2).Any(i => i is not null && _members.Contains(i)) ? "an operand beside its data depends on the prompts" : RepeatOthers(node, [0, 1]);

    /// <summary>Gives the operands that do not depend on the prompts the axis in its full size.</summary>
    private string? RepeatOthers(Node node, IEnumerable<int> operands)
    {
        foreach (int i in operands)
        {
            if (node.Input(i) is not { } operand)
                return "an operand is left out";
            if (_members.Contains(operand))
                continue;
            if (operand.Shape is not { Rank: > 0 } shape || shape[0].Value != 1)
                return $"the first axis of operand '{SafeText.Of(operand.Name)}' is not 1";
            _edits.Add(new BatchEdit(node, i, BatchEditKind.Repeat));
        }

        return null;
    }

    private string? Reshapes(Node node)
    {
        if (node.Input(1).Integers() is not { Length: > 0 } target)
            return "its target is computed";
        if (node.GetInt("allowzero", 0) != 0)
            return "zeros of its target are sizes";
        if (target[0] != 0)
            _edits.Add(new BatchEdit(node, 1, BatchEditKind.Target));
        return null;
    }

    private string? Resizes(Node node)
    {
        if (OnlyFirst(node) is { } why)
            return why;
        if (node.Attribute("axes") is not null || node.GetString("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize")
            return "it names the axes that it resizes, or crops";
        if (node.Input(3) is not null)
            _edits.Add(new BatchEdit(node, 3, BatchEditKind.Sizes));
        else if (node.Input(2)?.Constant is not { ElementType: ElementType.Float, Count: > 0 } scales || scales.ToArray<float>()[0] != 1)
            return "it scales the first axis, or by computed factors";
        return null;
    }

    /// <summary>To the shape of another value with the axis, or to a constant one, whose 1 leaves the axis as it is.</summary>
    private string? Expands(Node node, Shape result)
    {
        Value data = node.Input(0)!, shape = node.Input(1)!;
        if (_members.Contains(shape) || data.Shape is null)
            return "it computes with a shape";
        bool isWhole = _shapes.Contains(shape) ? shape.Shape?[0].Value == result.Rank : shape.Integers() is not null;
        bool isAligned = _members.Contains(data) ? data.Shape.Rank == result.Rank : data.Shape.Rank < result.Rank || data.Shape[0].Value == 1;
        return isWhole && isAligned ? null : "it expands to another number of axes, or to a computed shape";
    }

    private string? OnlyFirst(Node node) =>
        node.Inputs.Skip(1).Any(i => i is not null && _members.Contains(i)) ? "an operand beside its data depends on the prompts" : null;

    private static string? Along(long axis, int rank) => Along([axis], rank);

    private static string? Along(IReadOnlyList<long>? axes, int rank) =>
        axes is { Count: > 0 } && rank > 0 && axes.All(a => a != 0 && a != -rank) ? null : "it works along the first axis, or along unknown ones";

    private static string Unknown(Node node) => $"{(node.Domain.Length > 0 ? node.Domain + "." : "")}{node.OpType} is not known to treat prompts one by one";
}
