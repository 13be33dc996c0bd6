using System.Text;
using Google.Protobuf;
using SamCompress.IR.Serialization;

namespace SamCompress.IR;

/// <summary>What an attribute holds; the numbers are those of ONNX's AttributeProto.AttributeType.</summary>
public enum AttributeKind
{
    Undefined = 0,
    Float = 1,
    Int = 2,
    String = 3,
    Tensor = 4,
    Graph = 5,
    Floats = 6,
    Ints = 7,
    Strings = 8,
    Tensors = 9,
    Graphs = 10,
    SparseTensor = 11,
    SparseTensors = 12,
    TypeProto = 13,
    TypeProtos = 14,
}

/// <summary>
/// A named attribute of a node. Immutable, except that the graphs it holds are edited in place.
/// Kinds without an accessor here (sparse tensors, types) and unknown fields are carried through.
/// </summary>
public sealed class NodeAttribute
{
    internal NodeAttribute(AttributeProto shell, IReadOnlyList<Tensor> tensors, IReadOnlyList<Graph> graphs)
    {
        Shell = shell;
        Tensors = tensors;
        Graphs = graphs;
    }

    public string Name => Shell.Name;

    /// <summary>As declared; files of IR version 1 may leave it out, then it is <see cref="AttributeKind.Undefined"/>.</summary>
    public AttributeKind Kind => (AttributeKind)Shell.Type;

    /// <summary>In a function body: the attribute of the function that stands in for this one; else empty.</summary>
    public string Reference => Shell.RefAttrName;

    public float Float => Shell.F;

    public long Int => Shell.I;

    /// <summary>The text, decoded as UTF-8; malformed bytes become U+FFFD. <see cref="StringBytes"/> has the bytes.</summary>
    public string String => Shell.S.ToStringUtf8();

    public ReadOnlyMemory<byte> StringBytes => Shell.S.Memory;

    public IReadOnlyList<float> Floats => Shell.Floats;

    public IReadOnlyList<long> Ints => Shell.Ints;

    public IReadOnlyList<string> Strings => [.. Shell.Strings.Select(s => s.ToStringUtf8())];

    /// <exception cref="InvalidOperationException">The attribute holds no tensor.</exception>
    public Tensor Tensor => Tensors.Count > 0 ? Tensors[0] : throw new InvalidOperationException($"attribute '{Name}' holds no tensor");

    /// <summary>The one tensor of a tensor attribute, or those of a tensors attribute.</summary>
    public IReadOnlyList<Tensor> Tensors { get; }

    /// <summary>The one graph of a graph attribute, or those of a graphs attribute.</summary>
    public IReadOnlyList<Graph> Graphs { get; }

    /// <summary>Everything but tensors and graphs.</summary>
    internal AttributeProto Shell { get; }

    public static NodeAttribute Of(string name, float value) => Simple(name, AttributeKind.Float, p => p.F = value);

    public static NodeAttribute Of(string name, long value) => Simple(name, AttributeKind.Int, p => p.I = value);

    public static NodeAttribute Of(string name, string value) => Simple(name, AttributeKind.String, p => p.S = ByteString.CopyFrom(value, Encoding.UTF8));

    public static NodeAttribute Of(string name, IEnumerable<long> values) => Simple(name, AttributeKind.Ints, p => p.Ints.AddRange(values));

    public static NodeAttribute Of(string name, IEnumerable<float> values) => Simple(name, AttributeKind.Floats, p => p.Floats.AddRange(values));

    public static NodeAttribute Of(string name, IEnumerable<string> values) =>
        Simple(name, AttributeKind.Strings, p => p.Strings.AddRange(values.Select(v => ByteString.CopyFrom(v, Encoding.UTF8))));

    public static NodeAttribute Of(string name, Tensor value) =>
        new(new AttributeProto { Name = name, Type = (int)AttributeKind.Tensor }, [value], []);

    public static NodeAttribute Of(string name, Graph value) =>
        new(new AttributeProto { Name = name, Type = (int)AttributeKind.Graph }, [], [value]);

    private static NodeAttribute Simple(string name, AttributeKind kind, Action<AttributeProto> fill)
    {
        var shell = new AttributeProto { Name = name, Type = (int)kind };
        fill(shell);
        return new NodeAttribute(shell, [], []);
    }
}
