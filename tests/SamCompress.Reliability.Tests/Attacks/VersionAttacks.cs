using System.Text;
using SamCompress.Cli.Tests;

namespace SamCompress.Reliability.Tests.Attacks;

/// <summary>Models from another time: versions, operators and fields that are not known.</summary>
internal static class VersionAttacks
{
    private const int Unsupported = 4;

    /// <summary>A field that no message of onnx.proto has, with text that can be found again.</summary>
    private static byte[] Unknown(string text) => Wire.Text(1006, text);

    public static IEnumerable<Attack> All => [.. IrVersions, .. Opsets, .. Operators, .. Kinds];

    private static IEnumerable<Attack> IrVersions =>
    [
        Attack.OfModel("versions-01", "no IR version", Wire.Join(Onnx.Opset("", 17), Body), "no ir_version"),
        Attack.OfModel("versions-01", "IR version 0", Wire.Join(Onnx.IrVersion(0), Onnx.Opset("", 17), Body), "ir_version is 0"),
        Attack.OfModel("versions-01", "IR version -1", Wire.Join(Onnx.IrVersion(-1), Onnx.Opset("", 17), Body), "ir_version is -1"),
        Attack.OfModel("versions-01", "IR version 99 to be rewritten", Newer, "ir_version 99", "14") with { ExitCodes = [Unsupported] },
        Attack.Of("versions-01", "IR version 99 to be looked at", d => ["inspect", Files.Bytes(d, "model.onnx", Newer)], "IR version 99", "newer than 14", "SC4101") with { ExitCodes = [0] },
        Attack.Of("versions-02", "unknown fields in every message, nothing to do", d => Attack.Optimize(d, Marked("Relu"))) with { ExitCodes = [0], Afterwards = AssertMarks },
        Attack.Of("versions-02", "unknown fields in every message, and an edit", d => Attack.Optimize(d, Marked("Identity"))) with { ExitCodes = [0], Afterwards = AssertMarks },
    ];

    private static IEnumerable<Attack> Opsets =>
    [
        Attack.OfModel("versions-03", "no opset", Wire.Join(Onnx.IrVersion(8), Body), "opset_import is missing"),
        Opset("opset 0", 0, "opset 0 of ai.onnx must be 1 or more"),
        Opset("opset -7", -7, "opset -7 of ai.onnx must be 1 or more"),
        Opset("an opset over 2^31", 1L << 40, "opset 1099511627776 of ai.onnx is over 2147483647"),
        Attack.OfModel("versions-03", "two opsets", Wire.Join(Onnx.Header, Onnx.Opset("", 13), Body), "imported 2 times", "17, 13"),
        Attack.OfModel("versions-03", "the same opset under both names of its domain", Wire.Join(Onnx.Header, Onnx.Opset("ai.onnx", 13), Body), "imported 2 times"),
        Attack.Of("versions-03", "an opset newer than known", d => Attack.Optimize(d, Wire.Join(Onnx.IrVersion(8), Onnx.Opset("", 999), Body)), "opset 999 of ai.onnx is newer than") with { ExitCodes = [0] },
        Attack.Of("versions-03", "several at once", d => ["check", Files.Bytes(d, "model.onnx", Wire.Join(Onnx.IrVersion(0), Onnx.Opset("", -1), Onnx.Opset("", 0), Body))], "SC3101", "opset -1", "opset 0", "imported 2 times") with { ExitCodes = [1] },
        Attack.Of("versions-03", "several at once, to be rewritten", d => Attack.Optimize(d, Wire.Join(Onnx.IrVersion(0), Onnx.Opset("", -1), Onnx.Opset("", 0), Body)), "samcompress check", "problems"),
    ];

    private static IEnumerable<Attack> Operators =>
    [
        Attack.OfModel("versions-04", "unknown operators", Onnx.Model(Onnx.Input("x", 1), Onnx.Node("Warp", ["x"], ["a"]), Onnx.Node("Warp", ["a"], ["b"]), Onnx.Node("Weft", ["b"], ["y"]), Onnx.Output("y", 1)), "ai.onnx.Warp is no operator of opset 17 (2 nodes)", "SC4103", "all 2 problems") with { ExitCodes = [Unsupported] },
        Attack.Of("versions-04", "unknown operators, all listed", d => ["check", Files.Bytes(d, "model.onnx", Onnx.Model(Onnx.Input("x", 1), Onnx.Node("Warp", ["x"], ["a"]), Onnx.Node("Warp", ["a"], ["b"]), Onnx.Node("Weft", ["b"], ["y"]), Onnx.Output("y", 1)))], "Warp is no operator of opset 17 (2 nodes)", "Weft is no operator") with { ExitCodes = [1] },
        Attack.OfModel("versions-04", "a deprecated operator", Onnx.Model(Onnx.Input("x", 1, 1, 1, 1), Onnx.Weight("s", 1, 1, 1, 1), Onnx.Node("Upsample", ["x", "s"], ["y"]), Onnx.Output("y", 1, 1, 1, 1)), "Upsample is deprecated in opset 17") with { ExitCodes = [Unsupported] },
        Attack.OfModel("versions-04", "a domain that is not imported", Onnx.Model(Onnx.Input("x", 1), Onnx.Node("Op", ["x"], ["y"], Wire.Text(7, "acme")), Onnx.Output("y", 1)), "imports no opset of acme"),
        Attack.Of("versions-04", "an operator of an imported domain of its own", d => Attack.Optimize(d, Wire.Join(Onnx.Header, Onnx.Opset("acme", 1), Onnx.Graph(Onnx.Input("x", 1), Onnx.Node("Op", ["x"], ["y"], Wire.Text(7, "acme")), Onnx.Output("y", 1)))), "acme.Op is a custom operator") with { ExitCodes = [0] },
        Attack.OfModel("versions-04", "operators under a thousand names", Onnx.Model([Onnx.Input("x", 1), .. Enumerable.Range(0, 1000).Select(i => Onnx.Node($"Op{i}", ["x"], [$"y{i}"])), Onnx.Output("y0", 1)]), "Op0 is no operator", "problems") with { ExitCodes = [Unsupported] },
    ];

    private static IEnumerable<Attack> Kinds =>
    [
        Attack.Of("versions-05", "a model that is quantized already", d => Tiny.Quantize(d, Tiny.QuantizedEncoder), "model.onnx", "--allow-requantize") with { ExitCodes = [Unsupported] },
        Attack.Of("versions-06", "a text encoder", d => Tiny.Quantize(d, "agraph (int64[1,128] input_ids, int64[1,128] attention_mask) => (int64[1,128] last_hidden_state) { last_hidden_state = Add(input_ids, attention_mask) }"), "model.onnx", "no image encoder") with { ExitCodes = [Unsupported] },
        Attack.Of("versions-06", "a detector", d => Tiny.Quantize(d, "agraph (float[1,3,64,64] images) => (float[1,3,4096] output0) <int64[3] s = {1, 3, 4096}> { output0 = Reshape(images, s) }"), "model.onnx", "no image encoder") with { ExitCodes = [Unsupported] },
        Attack.Of("versions-06", "a mask decoder", d => ["quantize", Tiny.NanoDecoder, "-o", d.File("out.onnx"), "-q"], "decoder.onnx", "mask decoder", "image encoder") with { ExitCodes = [Unsupported] },
        Attack.Of("versions-06", "an encoder as a decoder", d => ["quantize", Tiny.Nano, "--encoder", Tiny.Nano, "-o", d.File("out.onnx"), "-q"], "encoder.onnx", "no mask decoder") with { ExitCodes = [Unsupported] },
    ];

    private static byte[] Body => Onnx.Graph(Onnx.Input("x", 4), Onnx.Node("Relu", ["x"], ["y"]), Onnx.Output("y", 4));

    private static byte[] Newer => Wire.Join(Onnx.IrVersion(99), Onnx.Opset("", 17), Body);

    private static Attack Opset(string name, long version, string says) => Attack.OfModel("versions-03", name, Wire.Join(Onnx.IrVersion(8), Onnx.Opset("", version), Body), says);

    /// <summary>With a node that stays, and behind it one of the given operator.</summary>
    private static byte[] Marked(string last) => Wire.Join(
        Onnx.Header,
        Unknown("in the model"),
        Onnx.Graph(
            Unknown("in the graph"),
            Wire.Message(11, Onnx.Value("x", 4), Unknown("in the input")),
            Onnx.Initializer("w", Onnx.Float, [4], Onnx.Raw(1f, 2, 3, 4), Unknown("in the tensor")),
            Onnx.Node("Add", ["x", "w"], ["s"], Unknown("in the node")),
            Onnx.Node("Softmax", ["s"], ["t"], Onnx.Attribute("axis", 2, Wire.Number(3, -1), Unknown("in the attribute"))),
            Onnx.Node(last, ["t"], ["u"]),
            Onnx.Node("Neg", ["u"], ["y"]),
            Onnx.Output("y", 4)));

    private static void AssertMarks(TemporaryDirectory directory)
    {
        string written = Encoding.Latin1.GetString(File.ReadAllBytes(directory.File("out.onnx")));
        foreach (string mark in (string[])["in the model", "in the graph", "in the input", "in the tensor", "in the node", "in the attribute"])
            Assert.Contains(Encoding.Latin1.GetString(Unknown(mark)), written, StringComparison.Ordinal);
    }
}
