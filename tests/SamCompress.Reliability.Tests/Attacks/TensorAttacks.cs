using SamCompress.Cli.Tests;
using SamCompress.IR;

namespace SamCompress.Reliability.Tests.Attacks;

/// <summary>Tensors whose type, shape and data do not go together, and numbers that no scale fits.</summary>
internal static class TensorAttacks
{
    private const int Tight = 1 << 21;

    public static IEnumerable<Attack> All => [.. Shapes, .. Data, .. Numbers];

    private static IEnumerable<Attack> Shapes =>
    [
        Tensor("tensors-01", "a negative dimension", Onnx.Initializer("w", Onnx.Float, [-1], Onnx.Raw(1f)), "negative dimension -1"),
        Tensor("tensors-01", "two negative dimensions", Onnx.Initializer("w", Onnx.Float, [-2, -2], Onnx.Raw(1f, 2, 3, 4)), "negative dimension -2"),
        Tensor("tensors-01", "dimensions whose product is over 2^63", Onnx.Initializer("w", Onnx.Float, [long.MaxValue, 2], Onnx.Raw(1f)), "more than 2^63 - 1 bytes"),
        Tensor("tensors-01", "dimensions whose product wraps around to 4", Onnx.Initializer("w", Onnx.Float, [1L << 33, 1L << 33, 1], Onnx.Raw(1f)), "more than 2^63 - 1 bytes"),
        Tensor("tensors-01", "elements that fit and bytes that do not", Onnx.Initializer("w", Onnx.Float, [long.MaxValue / 2], Onnx.Raw(1f)), "2^63 - 1 bytes"),
        Tensor("tensors-01", "a dimension of 2^40 with four bytes", Onnx.Initializer("w", Onnx.Float, [1L << 40], Onnx.Raw(1f)), "4 bytes of data", "4398046511104 bytes") with { MostAllocated = Tight },
        Tensor("tensors-01", "a dimension of 2^40 of strings", Onnx.Initializer("w", Onnx.StringType, [1L << 40], Wire.Text(6, "a")), "1 strings where the shape needs 1099511627776") with { MostAllocated = Tight },
        Tensor("tensors-01", "10,000 dimensions", Onnx.Initializer("w", Onnx.Float, [.. Enumerable.Repeat(2L, 10_000)], Onnx.Raw(1f)), "more than 2^63 - 1 bytes"),
        Attack.OfModel("tensors-01", "an input of a negative dimension", Onnx.Model(Onnx.Input("x", -5), Onnx.Node("Neg", ["x"], ["y"]), Onnx.Output("y", -5)), "-5"),
        Attack.Of("tensors-01", "an activation of 2^62 elements", d => ["inspect", Files.Bytes(d, "model.onnx", Onnx.Model(Onnx.Input("x", 1L << 31, 1L << 31), Onnx.Node("Neg", ["x"], ["y"]), Onnx.Output("y", 1L << 31, 1L << 31)))]) with { ExitCodes = [0, 3] },
        Attack.OfModel("tensors-01", "activations whose product is over 2^63", Onnx.Model(Onnx.Input("x", 1L << 40, 1), Onnx.Input("z", 1, 1L << 40), Onnx.Node("Add", ["x", "z"], ["y"]), Onnx.Output("y", 1L << 40, 1L << 40)), "2^63 - 1 elements"),
        Attack.Of("tensors-01", "an expansion to 2^40 elements", d => Attack.Optimize(d, Onnx.Model(Onnx.Shape("s", 1L << 20, 1L << 20), Onnx.Weight("w", 1), Onnx.Node("Expand", ["w", "s"], ["t"]), Onnx.Node("Neg", ["t"], ["y"]), Onnx.Output("y", 1L << 20, 1L << 20)))) with { ExitCodes = [0], MostAllocated = 20_000_000 },
        Attack.Of("tensors-01", "a constant of 2^50 elements", d => Attack.Optimize(d, Onnx.Model(Onnx.Shape("s", 1L << 25, 1L << 25), Onnx.Node("ConstantOfShape", ["s"], ["t"]), Onnx.Node("Neg", ["t"], ["y"]), Onnx.Output("y", 1L << 25, 1L << 25)))) with { ExitCodes = [0], MostAllocated = 20_000_000 },
        Attack.Of("tensors-01", "a range of 10^12 numbers", d => Attack.Optimize(d, Onnx.Model(
            Scalar("a", 0), Scalar("b", 1_000_000_000_000), Scalar("c", 1), Onnx.Node("Range", ["a", "b", "c"], ["r"]), Onnx.Node("Cast", ["r"], ["y"], Onnx.IntAttribute("to", 1)), Onnx.Output("y", 1_000_000_000_000)))) with { ExitCodes = [0], MostAllocated = 20_000_000 },
    ];

    private static IEnumerable<Attack> Data =>
    [
        Tensor("tensors-02", "no element, and data", Onnx.Initializer("w", Onnx.Float, [0], Onnx.Raw(1f)), "4 bytes of data where float[0] needs 0 bytes"),
        Tensor("tensors-02", "elements, and no data", Onnx.Initializer("w", Onnx.Float, [4]), "float[4] needs 16 bytes"),
        Tensor("tensors-02", "raw data that is too short", Onnx.Initializer("w", Onnx.Float, [4], Onnx.Raw(1f, 2, 3)), "12 bytes of data where float[4] needs 16 bytes"),
        Tensor("tensors-02", "raw data that is too long", Onnx.Initializer("w", Onnx.Float, [4], Onnx.Raw(1f, 2, 3, 4, 5)), "20 bytes of data where float[4] needs 16 bytes"),
        Tensor("tensors-02", "raw data of half an element", Onnx.Initializer("w", Onnx.Float, [1], Wire.Message(9, [0, 0])), "2 bytes of data"),
        Tensor("tensors-02", "large raw data that is too short", Onnx.Initializer("w", Onnx.Float, [4096], Wire.Message(9, new byte[4096])), "4096 bytes of data where float[4096] needs 16384 bytes"),
        Tensor("tensors-02", "raw data and typed data", Onnx.Initializer("w", Onnx.Float, [1], Onnx.Raw(1f), Wire.Fixed32(4, 1)), "more than one field"),
        Tensor("tensors-02", "two typed fields", Onnx.Initializer("w", Onnx.Float, [1], Wire.Number(7, 1), Wire.Fixed32(4, 1)), "more than one field"),
        Tensor("tensors-02", "the field of another type", Onnx.Initializer("w", Onnx.Float, [1], Wire.Number(7, 1)), "float[1] needs 4 bytes"),
        Tensor("tensors-02", "raw data of strings", Onnx.Initializer("w", Onnx.StringType, [1], Wire.Message(9, [0x61])), "0 strings where the shape needs 1"),
        Tensor("tensors-02", "strings that are too few", Onnx.Initializer("w", Onnx.StringType, [3], Wire.Text(6, "a")), "1 strings where the shape needs 3"),
        Tensor("tensors-02", "data type 0", Onnx.Initializer("w", 0, [1], Onnx.Raw(1f)), "unknown element type 0"),
        Tensor("tensors-02", "data type 99", Onnx.Initializer("w", 99, [1], Onnx.Raw(1f)), "unknown element type 99"),
        Tensor("tensors-02", "data type -1", Onnx.Initializer("w", -1, [1], Onnx.Raw(1f)), "unknown element type -1"),
        Tensor("tensors-02", "data type 2^31 - 1", Onnx.Initializer("w", int.MaxValue, [1], Onnx.Raw(1f)), "unknown element type 2147483647"),
        Tensor("tensors-02", "a segment", Onnx.Initializer("w", Onnx.Float, [1], Onnx.Raw(1f), Wire.Message(3, Wire.Number(1, 0), Wire.Number(2, 1))), "segments"),
        Attack.OfModel("tensors-02", "an unknown type of an input", Onnx.Model(Wire.Message(11, Wire.Text(1, "x"), Onnx.Type(77)), Onnx.Node("Neg", ["x"], ["y"]), Onnx.Output("y", 1)), "77"),
        Attack.OfModel("tensors-02", "an attribute of unknown kind", Onnx.Model(Onnx.Input("x", 1), Onnx.Node("Softmax", ["x"], ["y"], Onnx.Attribute("axis", 55, Wire.Number(3, 0))), Onnx.Output("y", 1)), "unknown kind 55"),
        Attack.OfModel("tensors-02", "an attribute with two values", Onnx.Model(Onnx.Input("x", 1), Onnx.Node("Softmax", ["x"], ["y"], Onnx.Attribute("axis", 2, Wire.Number(3, 0), Wire.Fixed32(2, 1))), Onnx.Output("y", 1)), "'axis' has more than one value"),
        Attack.OfModel("tensors-02", "a sparse tensor whose indices are out of range", Onnx.Model(
            Wire.Message(15, Wire.Message(1, Onnx.Tensor("s", 1, [1], Onnx.Raw(1f))), Wire.Message(2, Onnx.Tensor("i", 7, [1], Onnx.Raw(400L))), Wire.Number(3, 4)), Onnx.Node("Neg", ["s"], ["y"]), Onnx.Output("y", 4)), "index 400 of value 0 is out of range"),
        Attack.OfModel("tensors-02", "a sparse tensor that claims 2^60 values", Onnx.Model(
            Wire.Message(15, Wire.Message(1, Onnx.Tensor("s", 1, [1L << 60], Onnx.Raw(1f))), Wire.Message(2, Onnx.Tensor("i", 7, [1L << 60], Onnx.Raw(0L))), Wire.Number(3, long.MaxValue)), Onnx.Node("Neg", ["s"], ["y"]), Onnx.Output("y", 4)), "1 indices for 1152921504606846976 values") with { MostAllocated = 20_000_000 },
        Attack.OfModel("tensors-02", "a sparse tensor whose indices are half an element", Onnx.Model(
            Wire.Message(15, Wire.Message(1, Onnx.Tensor("s", 1, [1], Onnx.Raw(1f))), Wire.Message(2, Onnx.Tensor("i", 7, [1], Wire.Message(9, [1, 2, 3]))), Wire.Number(3, 4)), Onnx.Node("Neg", ["s"], ["y"]), Onnx.Output("y", 4)), "sparse tensor"),
    ];

    private static IEnumerable<Attack> Numbers =>
    [
        Weights("a weight that is not a number", w => w[7] = float.NaN, "not finite"),
        Weights("a weight that is infinite", w => w[7] = float.NegativeInfinity, "not finite"),
        Weights("a channel of zeros", w => w.AsSpan(12, 12).Clear(), ""),
        Weights("only zeros", w => w.AsSpan().Clear(), ""),
        Weights("the smallest weights there are", w => w.AsSpan().Fill(1e-45f), ""),
        Weights("the largest weights there are", w => w.AsSpan().Fill(float.MaxValue), ""),
        Weights("a weight that is not a number, with --fail-on-warnings", w => w[7] = float.NaN, "not finite", "--fail-on-warnings") with { ExitCodes = [1] },
    ];

    private static Attack Tensor(string row, string name, byte[] weight, params string[] says) => Attack.OfModel(row, name, Onnx.Adding(weight), ["'w'", .. says]);

    private static byte[] Scalar(string name, long value) => Onnx.Initializer(name, Onnx.Int64, [], Onnx.Raw(value));

    /// <summary>The tiny encoder with other weights, quantized.</summary>
    private static Attack Weights(string name, Action<float[]> change, string says, params string[] options) => Attack.Of("tensors-03", name, d =>
    {
        float[] weights = [.. Enumerable.Range(0, 96).Select(i => (i % 13) - 6f)];
        change(weights);
        byte[] model = Onnx.Model(
            Onnx.Input("image", 1, 3, Tiny.Side, Tiny.Side), Onnx.Initializer("w", Onnx.Float, [8, 3, 2, 2], Onnx.Raw(weights)),
            Onnx.Node("Conv", ["image", "w"], ["embedding"], Onnx.IntsAttribute("strides", 2, 2)), Onnx.Output("embedding", 1, 8, 16, 16));
        return [.. Tiny.Quantize(d, model, options)];
    }, says) with
    { ExitCodes = [0, 1], Afterwards = AssertScales };

    /// <summary>No scale of the artifact, if there is one, is zero or not finite.</summary>
    private static void AssertScales(TemporaryDirectory directory)
    {
        if (!File.Exists(directory.File("out.onnx")))
            return;
        using Model model = OnnxReader.Read(directory.File("out.onnx"));
        IEnumerable<Value> scales = model.Graph.Nodes.Where(n => n.OpType is "QuantizeLinear" or "DequantizeLinear").Select(n => n.Inputs[1]!).Where(s => s.Constant is { ElementType: ElementType.Float });
        Assert.All(scales, s => Assert.All(s.Constant!.ToArray<float>(), scale => Assert.True(float.IsFinite(scale) && scale > 0, $"{s.Name}: {scale}")));
    }
}
