using SamCompress.IR;

namespace SamCompress.Testing.Reference;

/// <summary>A node with the values of its inputs.</summary>
internal sealed class ReferenceCall(Node node, IReadOnlyList<ReferenceTensor?> inputs, long opset)
{
    public Node Node { get; } = node;

    public long Opset { get; } = opset;

    public int Count { get; } = inputs.Count;

    public ReferenceTensor this[int index] => Optional(index) ?? throw new NotSupportedException($"{Node} has no input {index}");

    public ReferenceTensor? Optional(int index) => index < inputs.Count ? inputs[index] : null;

    /// <summary>An input of integers, or the attribute of earlier versions, or null.</summary>
    public int[]? Ints(int index, string attribute = "") =>
        Optional(index) is { } tensor ? Array.ConvertAll(tensor.Data, v => (int)Math.Clamp(v, int.MinValue, int.MaxValue)) : Node.GetInts(attribute) is { } ints ? [.. ints.Select(i => (int)i)] : null;

    /// <summary>An attribute of integers, or <paramref name="count"/> times <paramref name="value"/>.</summary>
    public int[] IntsOr(string attribute, int count, int value) => Node.GetInts(attribute) is { } ints ? [.. ints.Select(i => (int)i)] : [.. Enumerable.Repeat(value, count)];

    public int Axis(string attribute, int otherwise, int rank) => Place((int)Node.GetInt(attribute, otherwise), rank);

    public static int Place(int axis, int rank) => axis < 0 ? axis + rank : axis;

    public NotSupportedException Unsupported(string what) => new($"{Node}: {what}");
}
