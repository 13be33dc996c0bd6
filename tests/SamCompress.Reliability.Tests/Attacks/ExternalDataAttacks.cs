using System.Security.Cryptography;
using System.Text;
using SamCompress.Cli.Tests;
using SamCompress.IR;

namespace SamCompress.Reliability.Tests.Attacks;

/// <summary>Weights in a file beside the model: names that lead elsewhere, links, ranges that do not fit.</summary>
internal static class ExternalDataAttacks
{
    private const int Mebibyte = 1 << 20;

    public static IEnumerable<Attack> All => [.. Names, .. Accepted, .. Links, .. Ranges, .. Checksums, .. Everywhere, .. Written];

    private static IEnumerable<Attack> Names =>
    [
        .. Refused("external-01", "outside the model's directory", "../../etc/passwd", "a/../../x", "./../x", "..", "a/..", "../model.onnx"),
        .. Refused("external-02", "outside the model's directory", "/etc/passwd", "C:\\x", "C:x", "\\\\srv\\s\\x", "\\\\?\\C:\\x", "//x", "file:///x", "http://example.org/w", "\\x"),
        .. Refused("external-03", "outside the model's directory", "..\\..\\x", "a\\..\\..\\x", "..\\x/y"),
        .. Refused("external-03", "not a plain relative path", "a\\b", "a\\", "a/b\\c"),
        .. Refused("external-05", "not a plain relative path", ".", "./w.data", "a//b", "a/", "a/.", "...", ".. /x", ". "),
        Attack.OfModel("external-05", "an empty location", Where(("location", "")), "'w'", "location of 0 characters"),
        Attack.OfModel("external-05", "no location", Where(("offset", "0")), "'w'", "without a location"),
        Attack.OfModel("external-05", "no entry at all", Where(), "'w'", "without a location"),
        Attack.OfModel("external-05", "two locations", Where(("location", "w.data"), ("location", "../w.data")), "'w'", "two external data entries 'location'"),
        Attack.Of("external-05", "a directory", d => Attack.Optimize(d, With(d, Directory.CreateDirectory(d.File("w.data")).Name)), "model.onnx", "'w'", "w.data", "is a directory"),
        Attack.Of("external-05", "a pipe", d => Attack.Optimize(d, With(d, Path.GetFileName(Files.Pipe(d, "w.data")))), "model.onnx", "'w'", "w.data", "not a regular file"),
        Attack.Of("external-05", "an empty file", d => Attack.Optimize(d, With(d, Path.GetFileName(d.Write("w.data", "")))), "model.onnx", "'w'", "16 bytes at 0", "of 0 bytes"),
        .. Refused("external-09", "control characters", "w\0.data", "w\n.data", "w\u001b[31m.data", "w\u007f"),
        .. Refused("external-09", "not a plain relative path", "CON", "nul", "NUL.data", "aux/w", "COM1", "lpt9.txt", "con .data"),
        .. Refused("external-09", "outside the model's directory", "w.data:stream"),
        Attack.OfModel("external-09", "a location of 64 KB", Where(("location", new string('w', 65536))), "'w'", "location of 65536 characters"),
        Attack.OfModel("external-09", "a location that turns the text around", Where(("location", "\u202Eatad.w/../..")), "'w'"),
    ];

    private static IEnumerable<Attack> Accepted =>
    [
        .. new[] { "weights..v2.data", "..data", "name with spaces", "grin \U0001F600.data", "Zu\u0308rich.data", "sub/w.data", "a.b/c", ".hidden", "console.data", "w'.data" }.Select(name =>
            Attack.Of("external-04", name, d => Attack.Optimize(d, With(d, name, Onnx.Raw(1f, 2, 3, 4)[^16..]))) with { ExitCodes = [0], Afterwards = AssertInline }),
        Attack.Of("external-06", "a missing file", d => Attack.Optimize(d, Where(("location", "gone.data"))), "model.onnx", "'w'", "gone.data not found", "keep the model and its data file together"),
        Attack.Of("external-14", "a data file that was left behind", d => Attack.Optimize(d, Where(("location", "sub/gone.data"))), "model.onnx", "'w'", "sub/gone.data not found", "keep the model and its data file together"),
        Attack.Of("external-14", "a data file that was left behind, to be looked at", d => ["inspect", Files.Bytes(d, "model.onnx", Where(("location", "gone.data")))]) with { ExitCodes = [0] },
    ];

    private static IEnumerable<Attack> Links =>
    [
        Attack.Of("external-06", "a link out of the folder", d => Attack.Optimize(d, Moved(d, "inner/model.onnx", "w.data", inner => Files.Link(d, "inner/w.data", Files.Bytes(d, "secret", new byte[16])))), "model.onnx", "'w'", "outside the model's directory"),
        Attack.Of("external-06", "a relative link out of the folder", d => Attack.Optimize(d, Moved(d, "inner/model.onnx", "w.data", inner => Files.Link(d, "inner/w.data", "../" + Path.GetFileName(Files.Bytes(d, "secret", new byte[16]))))), "model.onnx", "'w'", "outside the model's directory"),
        Attack.Of("external-06", "a linked folder", d => Attack.Optimize(d, Moved(d, "inner/model.onnx", "sub/w.data", inner =>
        {
            Files.Bytes(d, "elsewhere/w.data", new byte[16]);
            Directory.CreateSymbolicLink(d.File("inner/sub"), d.File("elsewhere"));
        })), "model.onnx", "'w'", "outside the model's directory"),
        Attack.Of("external-06", "links in a circle", d => Attack.Optimize(d, With(d, Path.GetFileName(Files.Link(d, "w.data", Files.Link(d, "v.data", d.File("w.data")))))), "model.onnx", "'w'", "w.data"),
        Attack.Of("external-06", "a link to nothing", d => Attack.Optimize(d, With(d, Path.GetFileName(Files.Link(d, "w.data", d.File("gone"))))), "model.onnx", "'w'", "w.data"),
        Attack.Of("external-06", "a link to a device", d => Attack.Optimize(d, With(d, Path.GetFileName(Files.Link(d, "w.data", "/dev/zero")))), "model.onnx", "'w'", "w.data"),
        Attack.Of("external-06", "a link within the folder", d =>
        {
            Files.Bytes(d, "real/w.data", Data);
            return Attack.Optimize(d, With(d, Path.GetFileName(Files.Link(d, "w.data", "real/w.data"))));
        }) with { ExitCodes = [0], Afterwards = AssertInline },
        Attack.Of("external-07", "a download cache", d =>
        {
            Files.Bytes(d, "blobs/4d7a", Where(("location", "w.data")));
            Files.Bytes(d, "blobs/9f00", Data);
            Directory.CreateDirectory(d.File("snapshots"));
            Files.Link(d, "snapshots/w.data", "../blobs/9f00");
            return Attack.Optimize(d, Files.Link(d, "snapshots/model.onnx", "../blobs/4d7a"));
        }) with { ExitCodes = [0], Afterwards = AssertInline },
        Attack.Of("external-08", "a hard link", d => ["check", HardLinked(d)], "SC3161", "(w)", "2 names", "hard link") with { ExitCodes = [0] },
        Attack.Of("external-08", "a hard link, with --strict", d => [.. Attack.Optimize(d, HardLinked(d)), "--strict"], "model.onnx", "'w'", "hard link"),
    ];

    private static IEnumerable<Attack> Ranges =>
    [
        Range("external-10", "offset -1", "'-1' is not a number", ("offset", "-1")),
        Range("external-10", "offset 1e3", "'1e3' is not a number", ("offset", "1e3")),
        Range("external-10", "an offset with a space", "' 5' is not a number", ("offset", " 5")),
        Range("external-10", "an empty offset", "'' is not a number", ("offset", "")),
        Range("external-10", "a hexadecimal offset", "'0x10' is not a number", ("offset", "0x10")),
        Range("external-10", "digits of another script", "is not a number", ("offset", "\u0661\u0662")),
        Range("external-10", "an offset behind the end", "16 bytes at 17 do not lie within data file 'w.data' of 16 bytes", ("offset", "17")),
        Range("external-10", "an offset near 2^63", "9223372036854775807", ("offset", "9223372036854775807")),
        Range("external-10", "an offset over 2^63", "is not a number", ("offset", "9223372036854775808")),
        Range("external-10", "two offsets", "two external data entries 'offset'", ("offset", "0"), ("offset", "8")),
        Range("external-11", "a length of 10^15", "1000000000000000 bytes where type and shape need 16", ("length", "1000000000000000")) with { MostAllocated = 4 * Mebibyte },
        Range("external-12", "a length that is too small", "8 bytes where type and shape need 16", ("length", "8")),
        Range("external-12", "a length that is too large", "32 bytes where type and shape need 16", ("length", "32")),
        Range("external-12", "two lengths", "two external data entries 'length'", ("length", "16"), ("length", "16")),
        Attack.Of("external-12", "no length, and a longer file", d => Attack.Optimize(d, With(d, "w.data", [.. Data, .. new byte[100]]))) with { ExitCodes = [0], Afterwards = AssertInline },
        Attack.Of("external-11", "a shape of 10^15 elements over a small file", d => Attack.Optimize(d, Onnx.Adding(External(d, "w.data", [1_000_000_000_000_000]))), "model.onnx", "'w'", "do not lie within") with { MostAllocated = 4 * Mebibyte },
        Attack.Of("external-11", "strings outside", d => Attack.Optimize(d, Onnx.Adding(Onnx.Initializer("w", Onnx.StringType, [1], Onnx.Place(("location", Path.GetFileName(Files.Bytes(d, "w.data", Data))))))), "model.onnx", "'w'", "strings cannot be external data"),
    ];

    private static IEnumerable<Attack> Checksums =>
    [
        Range("external-13", "a wrong checksum", "SHA-1", ("checksum", new string('0', 40))),
        Attack.Of("external-13", "the right checksum", d => Attack.Optimize(d, With(d, "w.data", Data, ("checksum", Sha1(Data))))) with { ExitCodes = [0], Afterwards = AssertInline },
        Attack.Of("external-13", "an unknown key", d => ["check", Files.Bytes(d, "model.onnx", With(d, "w.data", Data, ("__class__", "os.system")))], "SC3160", "'__class__' is not known") with { ExitCodes = [0] },
        Attack.Of("external-13", "a key of 100 KB", d => ["check", Files.Bytes(d, "model.onnx", With(d, "w.data", Data, (new string('k', 100_000), "v")))], "SC3160", "kkk...") with { ExitCodes = [0] },
        Attack.Of("external-13", "an unknown key, with --strict", d => [.. Attack.Optimize(d, With(d, "w.data", Data, ("__class__", "x"))), "--strict"], "model.onnx", "'w'", "'__class__' is not known"),
        Attack.Of("external-13", "an unknown key is kept", d => [.. Attack.Optimize(d, Large(External(d, "w.data", [1024], ("mine", "of value")))), "--external-data", "always"]) with
        {
            ExitCodes = [0],
            Afterwards = d => Assert.Contains("of value", Encoding.Latin1.GetString(File.ReadAllBytes(d.File("out.onnx"))), StringComparison.Ordinal),
        },
        Attack.Of("external-15", "a data file exchanged for one of equal size", Exchanged, "model.onnx.calibration.json", "made from another model"),
    ];

    private static IEnumerable<Attack> Everywhere =>
    [
        Attack.Of("external-16", "every tensor, also shapes, attributes, bodies and functions", d => Attack.Optimize(d, AllExternal(d))) with
        {
            ExitCodes = [0],
            Afterwards = d =>
            {
                File.Delete(d.File("all.data"));
                Assert.Equal(0, CommandRun.Of("check", d.File("out.onnx")).ExitCode);
                Assert.False(File.Exists(d.File("out.onnx.data")), "small tensors go into the model");
            },
        },
        Attack.OfModel("external-16", "a tensor of an attribute that leads outside", Onnx.Model(Onnx.Node("Constant", [], ["y"], Onnx.TensorAttribute("value", Onnx.Tensor("t", 1, [4], Onnx.Place(("location", "../x"))))), Onnx.Output("y", 4)), "'t'", "outside the model's directory"),
        Attack.OfModel("external-16", "a tensor of a body that leads outside", Onnx.Model(
            Wire.Message(11, Wire.Text(1, "c"), Onnx.Type(Onnx.Bool)), Onnx.Node("If", ["c"], ["y"], Onnx.GraphAttribute("then_branch", Onnx.External("t", [4], ("location", "/etc/passwd")), Onnx.Output("t", 4)), Onnx.GraphAttribute("else_branch", Onnx.Output("c", 4))), Onnx.Output("y", 4)), "'t'", "outside the model's directory"),
        Attack.OfModel("external-16", "a sparse tensor that leads outside", Onnx.Model(
            Wire.Message(15, Wire.Message(1, Onnx.Tensor("s", 1, [1], Onnx.Place(("location", "../x")))), Wire.Message(2, Onnx.Tensor("i", 7, [1], Onnx.Raw(0L))), Wire.Number(3, 4)), Onnx.Node("Neg", ["s"], ["y"]), Onnx.Output("y", 4)), "'s'", "sparse"),
    ];

    private static IEnumerable<Attack> Written =>
    [
        Attack.Of("external-17", "the data name is a link to another file", d =>
        {
            Files.Link(d, "out.onnx.data", d.Write("victim", "precious"));
            return [.. Attack.Optimize(d, Large(Onnx.Initializer("w", 1, [1024], Wire.Message(9, new byte[4096])))), "--external-data", "always"];
        }) with { ExitCodes = [0], Afterwards = d => Assert.Equal("precious", File.ReadAllText(d.File("victim"))) },
        Attack.Of("external-17", "the data name is a hard link of another file", d =>
        {
            Files.HardLink(d, "out.onnx.data", d.Write("victim", "precious"));
            return [.. Attack.Optimize(d, Large(Onnx.Initializer("w", 1, [1024], Wire.Message(9, new byte[4096])))), "--external-data", "always"];
        }) with { ExitCodes = [0], Afterwards = d => Assert.Equal("precious", File.ReadAllText(d.File("victim"))) },
        Attack.Of("external-17", "the data name exists", d => ["optimize", Files.Bytes(d, "model.onnx", Onnx.Sound), "-o", d.File("out.onnx"), "-q", .. Existing(d)], "out.onnx.data", "exists", "--overwrite") with { ExitCodes = [5] },
    ];

    private static byte[] Data => Onnx.Raw(1f, 2, 3, 4)[^16..];

    private static byte[] Where(params (string Key, string Value)[] entries) => Onnx.Adding(Onnx.External("w", [4], entries));

    /// <summary>y = x + w of 1024 elements.</summary>
    private static byte[] Large(byte[] weight) => Onnx.Model(Onnx.Input("x", 1024), weight, Onnx.Node("Add", ["x", "w"], ["y"]), Onnx.Output("y", 1024));

    private static IEnumerable<Attack> Refused(string row, string says, params string[] locations) =>
        locations.Select(location => Attack.OfModel(row, Printable(location), Where(("location", location)), "'w'", says));

    /// <summary>For the names of tests, which may hold no control characters.</summary>
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? $"<{(int)c}>" : c.ToString()));

    /// <summary>The model with its data in a file of that name, which is made where bytes are given.</summary>
    private static byte[] With(TemporaryDirectory directory, string location, byte[]? data = null, params (string Key, string Value)[] entries)
    {
        if (data is not null)
            Files.Bytes(directory, location, data);
        return Where([("location", location), .. entries]);
    }

    private static byte[] External(TemporaryDirectory directory, string location, long[] dimensions, params (string Key, string Value)[] entries)
    {
        Files.Bytes(directory, location, new byte[Math.Min(dimensions.Aggregate(4L, (a, b) => a * b), 4096)]);
        return Onnx.External("w", dimensions, [("location", location), .. entries]);
    }

    private static Attack Range(string row, string name, string says, params (string Key, string Value)[] entries) =>
        Attack.Of(row, name, d => Attack.Optimize(d, With(d, "w.data", Data, entries)), "model.onnx", "'w'", says);

    /// <summary>A model in a folder of its own, with what is beside it there.</summary>
    private static string Moved(TemporaryDirectory directory, string name, string location, Action<string> beside)
    {
        string path = Files.Bytes(directory, name, Where(("location", location)));
        beside(path);
        return path;
    }

    private static string HardLinked(TemporaryDirectory directory)
    {
        Files.HardLink(directory, "w.data", Files.Bytes(directory, "other", Data));
        return Files.Bytes(directory, "model.onnx", Where(("location", "w.data")));
    }

    private static string[] Existing(TemporaryDirectory directory)
    {
        directory.Write("out.onnx.data", "old");
        return [];
    }

#pragma warning disable CA5350 // ONNX says that it is SHA-1.
    private static string Sha1(byte[] data) => Convert.ToHexStringLower(SHA1.HashData(data));
#pragma warning restore CA5350

    private static string Sha256(byte[] data) => Convert.ToHexStringLower(SHA256.HashData(data));

    private static void AssertInline(TemporaryDirectory directory)
    {
        using Model model = OnnxReader.Read(directory.File("out.onnx"));
        Assert.Equal([1f, 2, 3, 4], model.Graph.Initializers[0].Initializer!.ToArray<float>());
    }

    /// <summary>Statistics that were made of the model with its first data file.</summary>
    private static string[] Exchanged(TemporaryDirectory directory)
    {
        var weights = new byte[8 * 3 * 4 * 4];
        byte[] model = Onnx.Model(
            Onnx.Input("image", 1, 3, Tiny.Side, Tiny.Side), Onnx.External("w", [8, 3, 2, 2], ("location", "model.onnx.data")),
            Onnx.Node("Conv", ["image", "w"], ["embedding"], Onnx.IntsAttribute("strides", 2, 2)), Onnx.Output("embedding", 1, 8, 16, 16));
        string hash = Sha256(Encoding.ASCII.GetBytes($"{Sha256(model)}\n{Sha256(weights)}"));
        string cache = directory.Write(
            "model.onnx.calibration.json",
            $$"""{"format":"samcompress-calibration","version":2,"toolVersion":"{{Cli.CommandLine.Version}}","modelHash":"{{hash}}","pictureSetHash":"","pictureCount":2,"preparation":"","beforeEqualization":[],"values":[]}""");
        weights[5] = 1;
        Files.Bytes(directory, "model.onnx.data", weights);
        return Tiny.Quantize(directory, model, "--calibration-cache", cache);
    }

    /// <summary>Every kind of place where a tensor can be, with its data in one file.</summary>
    private static byte[] AllExternal(TemporaryDirectory directory)
    {
        byte[] shape = Onnx.Raw(2L, 2)[^16..];
        Files.Bytes(directory, "all.data", [.. Data, .. shape]);
        byte[] floats = Onnx.Place(("location", "all.data"), ("offset", "0"), ("length", "16"));
        byte[] integers = Onnx.Place(("location", "all.data"), ("offset", "16"), ("length", "16"));
        return Wire.Join(
            Onnx.Header,
            Onnx.Opset("f", 1),
            Onnx.Graph(
                Onnx.Input("x", 4), Wire.Message(11, Wire.Text(1, "c"), Onnx.Type(Onnx.Bool)),
                Onnx.Initializer("w", Onnx.Float, [4], floats), Onnx.Initializer("s", Onnx.Int64, [2], integers),
                Onnx.Node("Constant", [], ["k"], Onnx.TensorAttribute("value", Onnx.Tensor("k", Onnx.Float, [4], floats))),
                Onnx.Node("Add", ["x", "w"], ["a"]), Onnx.Node("Mul", ["a", "k"], ["b"]), Onnx.Call("F", "b", "d"), Onnx.Node("Reshape", ["d", "s"], ["e"]),
                Onnx.Node(
                    "If", ["c"], ["y"],
                    Onnx.GraphAttribute("then_branch", Onnx.Initializer("t", Onnx.Float, [2, 2], floats), Onnx.Node("Add", ["e", "t"], ["p"]), Onnx.Output("p", 2, 2)),
                    Onnx.GraphAttribute("else_branch", Onnx.Node("Neg", ["e"], ["q"]), Onnx.Output("q", 2, 2))),
                Onnx.Output("y", 2, 2)),
            Onnx.Function("F", ["i"], ["o"], Onnx.Node("Constant", [], ["m"], Onnx.TensorAttribute("value", Onnx.Tensor("m", Onnx.Float, [4], floats))), Onnx.Node("Mul", ["i", "m"], ["o"])));
    }
}
