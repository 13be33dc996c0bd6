using SamCompress.IR;
using SamCompress.Passes.Cleanup;

namespace SamCompress.Passes.Fusion;

/// <summary>Says of a node whether row i of its output depends on row i of its inputs alone; a row lies along the last axis.</summary>
internal static class RowWiseOperators
{
    private static readonly HashSet<string> Unary =
        ["Abs", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Mish", "Neg", "Reciprocal", "Relu", "Sigmoid", "Softplus", "Sqrt", "Tanh"];

    private static readonly HashSet<string> ContributedUnary = ["Gelu", "FastGelu", "QuickGelu"];

    /// <summary>The inputs whose rows become rows of the output; null when the node is not row-wise, or it is not certain. Its other inputs are constants that <see cref="Flat"/> accepts.</summary>
    public static IReadOnlyList<int>? DataInputs(Node node)
    {
        if (node.Outputs.Count == 0 || node.Outputs.Skip(1).Any(o => o is not null) || RowsOf(node.Outputs[0]) is not { } rows)
            return null;
        IReadOnlyList<int>? data = (node.Domain, node.OpType) switch
        {
            (OperatorDomain.Onnx, "Add" or "Sub" or "Mul" or "Div" or "Pow") => BinaryInputs(node, rows),
            (OperatorDomain.Onnx, "MatMul") => node.Input(1)?.Constant is { Rank: 2 } ? [0] : null,
            (OperatorDomain.Onnx, "LayerNormalization") => NormalizesRows(node) ? [0] : null,
            (OperatorDomain.Onnx, "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze") => KeepsRows(node) ? [0] : null,
            (OperatorDomain.Onnx, _) when Unary.Contains(node.OpType) => [0],
            (OperatorDomain.Microsoft, _) when ContributedUnary.Contains(node.OpType) && node.Input(1) is null => [0],
            _ => null,
        };
        return data is not null && data.All(i => RowsOf(node.Input(i)) == rows) ? data : null;
    }

    /// <summary>Whether the node only gives another shape to what stays the same rows.</summary>
    public static bool IsReshape(Node node) => node.Domain.Length == 0 && node.OpType is "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze";

    /// <summary>How many rows a value has; null when it has no last axis, or a dimension is not known.</summary>
    public static long? RowsOf(Value? value) =>
        value is { Constant: null, Shape: { Rank: >= 2, IsStatic: true } shape } && shape[shape.Rank - 1].Value is > 0 and var width ? shape.ElementCount / width : null;

    /// <summary>The length of a row of a value that has rows.</summary>
    public static long WidthOf(Value value) => value.Shape![value.Shape.Rank - 1].Value!.Value;

    /// <summary>
    /// A constant operand of a row-wise operator as it stands beside a matrix of some rows: a scalar, one element for each column, or all elements, such as a
    /// table of positions. Null when it is something else, such as one element for each row of a picture.
    /// </summary>
    public static long[]? Flat(Tensor constant, long rows, long width)
    {
        if (constant.Count == 1)
            return [];
        if (constant.Dimensions[^1] != width)
            return null;
        return constant.Count == width ? [width] : constant.Count == rows * width ? [rows, width] : null;
    }

    private static int[]? BinaryInputs(Node node, long rows)
    {
        if (node.Input(0) is not { } a || node.Input(1) is not { } b)
            return null;
        long width = WidthOf(node.Output);
        if (a.Constant is null && b.Constant is null)
            return a.HasShapeOf(b) ? [0, 1] : null;
        if (a.Constant is not null && b.Constant is not null)
            return null;
        int data = a.Constant is null ? 0 : 1;
        // The constant must not widen the other operand.
        return node.Input(data)!.HasShapeOf(node.Output) && Flat(node.Input(1 - data)!.Constant!, rows, width) is not null ? [data] : null;
    }

    private static bool NormalizesRows(Node node) => node.NormalizesLastAxis() && node.Inputs.Skip(1).All(i => i is null or { Constant.Rank: 1 });

    /// <summary>A caller must still find the shape that it asked for, so that a graph output is left alone. That the number of rows stays says all else.</summary>
    private static bool KeepsRows(Node node) => !node.Output.IsGraphOutput && node.Inputs.Skip(1).All(i => i?.Constant is not null);
}
