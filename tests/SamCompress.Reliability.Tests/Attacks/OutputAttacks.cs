using SamCompress.Cli.Tests;

namespace SamCompress.Reliability.Tests.Attacks;

/// <summary>Places where an output cannot or must not be written, and what a run before left there.</summary>
internal static class OutputAttacks
{
    private const int Usage = 2, Unwritable = 5;

    public static IEnumerable<Attack> All => [.. Existing, .. Inputs, .. Places, .. Stages, .. Odd];

    private static IEnumerable<Attack> Existing =>
    [
        Attack.Of("system-01", "the output exists", d => Optimize(d, d.Write("out.onnx", "old")), "out.onnx", "the output exists", "--overwrite") with { ExitCodes = [Unwritable] },
        Attack.Of("system-01", "its data file exists", d =>
        {
            d.Write("out.onnx.data", "old");
            return Optimize(d, d.File("out.onnx"));
        }, "out.onnx.data", "the output exists") with { ExitCodes = [Unwritable] },
        Attack.Of("system-01", "its report exists", d =>
        {
            d.Write("out.report.json", "old");
            return Tiny.Quantize(d, Tiny.Encoder);
        }, "out.report.json", "the output exists") with { ExitCodes = [Unwritable] },
        Attack.Of("system-01", "the output is a folder with files", d =>
        {
            Files.Bytes(d, "out.onnx/a", [1]);
            return [.. Optimize(d, d.File("out.onnx")), "--overwrite"];
        }, "out.onnx", "is a directory") with { ExitCodes = [Unwritable] },
        Attack.Of("system-01", "the output is a link to nothing", d => Optimize(d, Files.Link(d, "out.onnx", d.File("gone"))), "out.onnx", "the output exists") with { ExitCodes = [Unwritable] },
        Attack.Of("system-01", "the output is a pipe", d => [.. Optimize(d, Files.Pipe(d, "out.onnx")), "--overwrite"], "out.onnx", "not a regular file") with { ExitCodes = [Unwritable] },
        Attack.Of("system-01", "it exists, and the model is no model", d =>
        {
            d.Write("out.onnx", "old");
            return ["optimize", d.Write("model.onnx", "x"), "-o", d.File("out.onnx"), "-q"];
        }, "the output exists") with { ExitCodes = [Unwritable] },
    ];

    private static IEnumerable<Attack> Inputs =>
    [
        Input("the same path", (d, model) => model),
        Input("the same path, written otherwise", (d, model) => Path.Combine(d.Path, "x", "..", "model.onnx")),
        Input("a link to the model", (d, model) => Files.Link(d, "link.onnx", model)),
        Input("a path through a linked folder", (d, model) =>
        {
            Directory.CreateSymbolicLink(d.File("again"), d.Path);
            return d.File("again/model.onnx");
        }),
        Attack.Of("system-02", "the data of the model", d =>
        {
            Files.Bytes(d, "other.onnx.data", new byte[16]);
            return ["optimize", Files.Bytes(d, "model.onnx", Onnx.Adding(Onnx.External("w", [4], ("location", "other.onnx.data")))), "-o", d.File("other.onnx"), "--overwrite", "-q"];
        }, "other.onnx.data", "written over an input") with { ExitCodes = [Usage] },
        Attack.Of("system-02", "the model is a link to the output", d => ["optimize", Files.Link(d, "link.onnx", Files.Bytes(d, "model.onnx", Onnx.Sound)), "-o", d.File("model.onnx"), "--overwrite", "-q"], "model.onnx", "written over an input") with { ExitCodes = [Usage] },
        Attack.Of("system-02", "another name of the model", d => ["optimize", Files.Bytes(d, "model.onnx", Onnx.Sound), "-o", Files.HardLink(d, "out.onnx", d.File("model.onnx")), "--overwrite", "-q"]) with { ExitCodes = [0] },
    ];

    private static IEnumerable<Attack> Places =>
    [
        Attack.Of("system-03", "a folder that is not there", d => Optimize(d, d.File("out.new/deep/out.onnx"))) with { ExitCodes = [0], Afterwards = d => Assert.True(File.Exists(d.File("out.new/deep/out.onnx"))) },
        Attack.Of("system-03", "a folder that is not there, and a model that is none", d => ["optimize", d.Write("model.onnx", "x"), "-o", d.File("new/deep/out.onnx"), "-q"], "model.onnx") with { ExitCodes = [3], Afterwards = d => Assert.False(Directory.Exists(d.File("new"))) },
        Attack.Of("system-03", "a folder that is a file", d => Optimize(d, Path.Combine(d.Write("file", "x"), "out.onnx")), "file") with { ExitCodes = [Unwritable] },
        Attack.Of("system-03", "a folder of the kernel", d => Optimize(d, "/proc/out.onnx"), "/proc") with { ExitCodes = [Unwritable] },
        Attack.Of("system-03", "the root of all folders", d => [.. Optimize(d, "/"), "--overwrite"], "/") with { ExitCodes = [Usage, Unwritable] },
        Attack.Of("system-12", "a name of 255 characters", d => Optimize(d, d.File(new string('o', 250) + ".onnx")), "ooo") with { ExitCodes = [Unwritable] },
        Attack.Of("system-12", "a path of 5,000 characters", d => Optimize(d, d.File(string.Join('/', Enumerable.Repeat("deeper", 700)) + "/out.onnx"))) with { ExitCodes = [Unwritable] },
    ];

    private static IEnumerable<Attack> Stages =>
    [
        Attack.Of("system-06", "a stage that a killed run left", d =>
        {
            Files.Bytes(d, ".out.onnx.samcompress-stage/.lock", []);
            Files.Bytes(d, ".out.onnx.samcompress-stage/out.onnx", [1, 2, 3]);
            return Optimize(d, d.File("out.onnx"));
        }) with { ExitCodes = [0], Afterwards = d => Assert.Equal(["model.onnx", "out.onnx"], d.Names) },
        Attack.Of("system-06", "a stage that a killed run of another output left", d =>
        {
            Files.Bytes(d, ".other.onnx.samcompress-stage/.lock", []);
            Files.Bytes(d, ".other.onnx.samcompress-stage/slim/encoder.onnx", [1, 2, 3]);
            return Optimize(d, d.File("out.onnx"));
        }) with { ExitCodes = [0], Afterwards = d => Assert.Equal(["model.onnx", "out.onnx"], d.Names) },
        Attack.Of("system-06", "a stage that is a link to a folder of the user", d =>
        {
            Files.Bytes(d, "precious/.lock", []);
            Files.Bytes(d, "precious/thesis", [1]);
            Directory.CreateSymbolicLink(d.File(".out.onnx.samcompress-stage"), d.File("precious"));
            return Optimize(d, d.File("out.onnx"));
        }, ".out.onnx.samcompress-stage") with { ExitCodes = [Unwritable] },
        Attack.Of("system-06", "a stage with files of the user", d =>
        {
            Files.Bytes(d, ".out.onnx.samcompress-stage/thesis", [1]);
            return Optimize(d, d.File("out.onnx"));
        }, ".out.onnx.samcompress-stage", "not ours") with { ExitCodes = [Unwritable] },
        Attack.Of("system-06", "a stage that is a file", d =>
        {
            d.Write(".out.onnx.samcompress-stage", "precious");
            return Optimize(d, d.File("out.onnx"));
        }, ".out.onnx.samcompress-stage") with { ExitCodes = [Unwritable] },
    ];

    private static IEnumerable<Attack> Odd =>
    [
        .. new[] { "white space", "grin \U0001F600", "Zu\u0308rich", "Z\u00FCrich", "quote'd", "-dash", "dot.", "semi;colon", "new\nline", "back\\slash" }.Select(name => Attack.Of(
            "system-12", $"a folder named {name.Replace("\n", "<10>", StringComparison.Ordinal)}",
            d => ["optimize", Files.Bytes(d, name + "/model.onnx", Onnx.Sound), "-o", d.File(name + "/out.onnx"), "-q"]) with { ExitCodes = [0], Afterwards = d => Assert.True(File.Exists(d.File(name + "/out.onnx"))) }),
        Attack.Of("system-14", "a model that becomes larger", d => [.. Tiny.Quantize(d, Tiny.Encoder), "--format", "json"], "size-ratio") with { ExitCodes = [1] },
    ];

    private static string[] Optimize(TemporaryDirectory directory, string output) => ["optimize", Files.Bytes(directory, "model.onnx", Onnx.Sound), "-o", output, "-q"];

    private static Attack Input(string name, Func<TemporaryDirectory, string, string> output) => Attack.Of("system-02", name, d =>
    {
        string model = Files.Bytes(d, "model.onnx", Onnx.Sound);
        return ["optimize", model, "-o", output(d, model), "--overwrite", "-q"];
    }, "written over an input") with
    { ExitCodes = [Usage] };
}
