using System.Runtime.InteropServices;

namespace SamCompress.Reliability.Tests;

/// <summary>The messages of onnx.proto as bytes. What is not given has a sound default, so that an attack says nothing but what is wrong.</summary>
internal static class Onnx
{
    public const int Float = 1, Int64 = 7, StringType = 8, Bool = 9;

    public static byte[] IrVersion(long version) => Wire.Number(1, version);

    public static byte[] Opset(string domain, long version) => Wire.Message(8, Wire.Text(1, domain), Wire.Number(2, version));

    /// <summary>IR version 8 and opset 17.</summary>
    public static byte[] Header => Wire.Join(IrVersion(8), Opset("", 17));

    public static byte[] Graph(params byte[][] fields) => Wire.Message(7, [Wire.Text(2, "g"), .. fields]);

    /// <summary>A model of a graph with the given fields.</summary>
    public static byte[] Model(params byte[][] graph) => Wire.Join(Header, Graph(graph));

    /// <summary>The body of a model y = x + w, float[4], with this message as w.</summary>
    public static byte[] Adding(params byte[][] weight) => Model([Input("x", 4), .. weight, Node("Add", ["x", "w"], ["y"]), Output("y", 4)]);

    /// <summary>A sound model.</summary>
    public static byte[] Sound => Adding(Weight("w", 1, 2, 3, 4));

    public static byte[] Node(string opType, string[] inputs, string[] outputs, params byte[][] more) =>
        Wire.Message(1, [.. inputs.Select(i => Wire.Text(1, i)), .. outputs.Select(o => Wire.Text(2, o)), Wire.Text(3, $"n_{opType}"), Wire.Text(4, opType), .. more]);

    public static byte[] Input(string name, params long[] dimensions) => Wire.Message(11, Value(name, dimensions));

    public static byte[] Output(string name, params long[] dimensions) => Wire.Message(12, Value(name, dimensions));

    /// <summary>The body of a ValueInfoProto of floats.</summary>
    public static byte[] Value(string name, params long[] dimensions) =>
        Wire.Join(Wire.Text(1, name), Type(Float, [.. dimensions.Select(d => Wire.Message(1, Wire.Number(1, d)))]));

    /// <param name="dimensions">Messages of dimensions.</param>
    public static byte[] Type(int elementType, params byte[][] dimensions) => Wire.Message(2, Wire.Message(1, Wire.Number(1, elementType), Wire.Message(2, dimensions)));

    public static byte[] Symbol(string name) => Wire.Message(1, Wire.Text(2, name));

    /// <summary>The body of a TensorProto.</summary>
    public static byte[] Tensor(string name, int type, long[] dimensions, params byte[][] data) =>
        Wire.Join([.. dimensions.Select(d => Wire.Number(1, d)), Wire.Number(2, type), Wire.Text(8, name), .. data]);

    public static byte[] Initializer(string name, int type, long[] dimensions, params byte[][] data) => Wire.Message(5, Tensor(name, type, dimensions, data));

    public static byte[] Raw(params float[] elements) => Wire.Message(9, MemoryMarshal.AsBytes<float>(elements).ToArray());

    public static byte[] Raw(params long[] elements) => Wire.Message(9, MemoryMarshal.AsBytes<long>(elements).ToArray());

    public static byte[] Weight(string name, params float[] elements) => Initializer(name, Float, [elements.Length], Raw(elements));

    public static byte[] Shape(string name, params long[] elements) => Initializer(name, Int64, [elements.Length], Raw(elements));

    /// <summary>The fields that say where data is.</summary>
    public static byte[] Place(params (string Key, string Value)[] entries) =>
        Wire.Join([.. entries.Select(e => Wire.Message(13, Wire.Text(1, e.Key), Wire.Text(2, e.Value))), Wire.Number(14, 1)]);

    public static byte[] External(string name, long[] dimensions, params (string Key, string Value)[] entries) => Initializer(name, Float, dimensions, Place(entries));

    public static byte[] Attribute(string name, int kind, params byte[][] value) => Wire.Message(5, [Wire.Text(1, name), Wire.Number(20, kind), .. value]);

    public static byte[] IntAttribute(string name, long value) => Attribute(name, 2, Wire.Number(3, value));

    public static byte[] IntsAttribute(string name, params long[] values) => Attribute(name, 7, [.. values.Select(v => Wire.Number(8, v))]);

    public static byte[] TensorAttribute(string name, byte[] tensor) => Attribute(name, 4, Wire.Message(5, tensor));

    public static byte[] GraphAttribute(string name, params byte[][] graph) => Attribute(name, 5, Wire.Message(6, [Wire.Text(2, name), .. graph]));

    public static byte[] Function(string name, string[] inputs, string[] outputs, params byte[][] nodes) => Wire.Message(
        25,
        [
            Wire.Text(1, name), .. inputs.Select(i => Wire.Text(4, i)), .. outputs.Select(o => Wire.Text(5, o)), .. nodes.Select(n => n.Length > 0 ? [(byte)0x3A, .. n[1..]] : n),
            Wire.Message(9, Wire.Text(1, ""), Wire.Number(2, 17)), Wire.Message(9, Wire.Text(1, "f"), Wire.Number(2, 1)), Wire.Text(10, "f"),
        ]);

    /// <summary>A call of a function made by <see cref="Function"/>.</summary>
    public static byte[] Call(string function, string input, string output) => Node(function, [input], [output], Wire.Text(7, "f"));
}
