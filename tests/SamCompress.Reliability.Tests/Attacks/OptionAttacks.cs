using System.Text;
using SamCompress.Testing;

namespace SamCompress.Reliability.Tests.Attacks;

/// <summary>Options out of range or against each other, and the files that options name.</summary>
internal static class OptionAttacks
{
    private const int Usage = 2;

    public static IEnumerable<Attack> All => [.. Values, .. Selections, .. Descriptions, .. Lists];

    private static IEnumerable<Attack> Values =>
    [
        Option("--precision", "banana", "use one of w8a8"),
        Option("--samples", "0", "a whole number from 1"),
        Option("--samples", "-1", "a whole number from 1"),
        Option("--samples", "1e9", "a whole number from 1"),
        Option("--samples", "\u0661", "a whole number from 1"),
        Attack.Of("options-01", "an empty value", d => [.. Tiny.Quantize(d, Tiny.Encoder), "--samples", ""], "the argument behind '--samples' is empty") with { ExitCodes = [Usage] },
        Option("--samples", "0x10", "a whole number from 1"),
        Option("--min-miou", "NaN", "a number from 0 to 1"),
        Option("--min-miou", "Infinity", "a number from 0 to 1"),
        Option("--min-miou", "0,5", "a number from 0 to 1"),
        Option("--max-nodes", "0", "a whole number from 1"),
        Option("--max-tensors", "-5", "a whole number from 1"),
        Option("--max-graph-size", "much", "a size"),
        Option("--max-memory", "-1", "a size"),
        Option("--max-memory", "1e300GB", "a size"),
        Option("--target", "abacus", "no target 'abacus'", "ort-cpu"),
        Option("--threads", "99999999999999999999", "a whole number from 0"),
        Option("--external-data", "maybe", "use one of auto, always, never"),
        Attack.Of("options-01", "a percentile of 101", d => [.. Tiny.Quantize(d, Tiny.Encoder), "--calibration-method", "percentile", "--percentile", "101"], "'101'", "100") with { ExitCodes = [Usage] },
        Attack.Of("options-01", "a percentile that is no number", d => [.. Tiny.Quantize(d, Tiny.Encoder), "--calibration-method", "percentile", "--percentile", "NaN"], "'NaN'", "100") with { ExitCodes = [Usage] },
        Attack.Of("options-01", "an option without its value", d => [.. Tiny.Quantize(d, Tiny.Encoder), "--samples"], "--samples") with { ExitCodes = [Usage] },
        Attack.Of("options-01", "an option twice", d => [.. Tiny.Quantize(d, Tiny.Encoder), "--samples", "1", "--samples", "2"], "--samples") with { ExitCodes = [Usage] },
        Attack.Of("options-01", "an option that is misspelt", d => [.. Tiny.Quantize(d, Tiny.Encoder), "--overwrit"], "--overwrit", "did you mean --overwrite?") with { ExitCodes = [Usage] },
        Attack.Of("options-01", "two models", d => [.. Tiny.Quantize(d, Tiny.Encoder), "another.onnx"], "another.onnx") with { ExitCodes = [Usage] },
        Attack.Of("options-01", "a word with control characters", d => [.. Tiny.Quantize(d, Tiny.Encoder), "\u001b[31mred\n"], "red") with { ExitCodes = [Usage] },
        Attack.Of("options-01", "a word of 1 MB", d => [.. Tiny.Quantize(d, Tiny.Encoder), new string('w', 1 << 20)], "www") with { ExitCodes = [Usage] },
        Attack.Of("options-01", "a response file", d => [.. Tiny.Quantize(d, Tiny.Encoder), "@" + d.Write("options.txt", "--overwrite")], "@") with { ExitCodes = [Usage] },
        Attack.Of("options-01", "an empty output", d => ["optimize", Files.Bytes(d, "model.onnx", Onnx.Sound), "-o", "", "-q"], "") with { ExitCodes = [Usage] },
        Attack.Of("options-01", "an empty model", d => ["optimize", "", "-o", d.File("out.onnx"), "-q"], "") with { ExitCodes = [2, 3] },
    ];

    private static IEnumerable<Attack> Selections =>
    [
        Attack.Of("options-02", "an exclusion that matches nothing", d => ["quantize", Tiny.Nano, "-o", d.File("out.onnx"), "-q", "--dry-run", "--nodes-to-exclude", "/blocks.0/attn/qkx/MatMul"], "--nodes-to-exclude '/blocks.0/attn/qkx/MatMul' matches no layer", "near names: ") with { ExitCodes = [Usage] },
        Attack.Of("options-02", "a pattern that matches nothing", d => Tiny.Quantize(d, Tiny.Encoder, "--nodes-to-exclude", "nothing*"), "'nothing*' matches no layer") with { ExitCodes = [Usage] },
        Attack.Of("options-02", "an expression that is none", d => Tiny.Quantize(d, Tiny.Encoder, "--nodes-to-exclude", "re:("), "no regular expression") with { ExitCodes = [Usage] },
        Attack.Of("options-02", "an expression that would take for ever", d => Tiny.Quantize(d, Tiny.Encoder, "--nodes-to-exclude", "re:(a+)+$"), "matches no layer") with { ExitCodes = [Usage] },
        Attack.Of("options-02", "an expression that needs backtracking", d => Tiny.Quantize(d, Tiny.Encoder, "--nodes-to-exclude", @"re:(a)\1"), "no regular expression") with { ExitCodes = [Usage] },
        Attack.Of("options-03", "a layer to quantize and to leave", d => Tiny.Quantize(d, Tiny.Encoder, "--nodes-to-quantize", "*", "--nodes-to-exclude", "*"), "--nodes-to-quantize", "--nodes-to-exclude") with { ExitCodes = [Usage] },
        Attack.Of("options-03", "an operator to quantize and to leave", d => Tiny.Quantize(d, Tiny.Encoder, "--op-types-to-quantize", "Conv", "--op-types-to-exclude", "Conv"), "Conv") with { ExitCodes = [Usage] },
        Attack.Of("options-03", "an operator that is none", d => Tiny.Quantize(d, Tiny.Encoder, "--op-types-to-exclude", "Convolution"), "'Convolution' matches no layer", "near names: Conv") with { ExitCodes = [Usage] },
    ];

    private static IEnumerable<Attack> Descriptions =>
    [
        Target("an unknown key", Edited("\"weightHighest\"", "\"wieghtHighest\""), "unknown key 'wieghtHighest'", "own.json("),
        Target("a key twice", Edited("\"weightHighest\": 127", "\"weightHighest\": 127, \"weightHighest\": 126"), "weightHighest", "own.json("),
        Target("a value of the wrong type", Edited("\"weightHighest\": 127", "\"weightHighest\": \"many\""), "weightHighest", "own.json("),
        Target("a number that is too large", Edited("\"weightHighest\": 127", "\"weightHighest\": 1e400"), "weightHighest", "own.json("),
        Target("a trailing comma", "{ \"name\": \"a\", }", "own.json("),
        Target("an empty file", "", "own.json"),
        Target("null", "null", "own.json", "null"),
        Target("a list", "[]", "own.json("),
        Target("1,000 objects in each other", string.Concat(Enumerable.Repeat("{\"name\":", 1000)), "own.json("),
        Attack.Of("options-04", "a file of 100 MB", d => [.. Attack.Optimize(d, Onnx.Sound), "--target", Files.Hole(d, "own.json", 100_000_000)], "own.json", "has 100000000 bytes") with { ExitCodes = [Usage], MostAllocated = 20_000_000 },
        Target("text that is no JSON", "name: own\nanchors: &a [*a, *a]\n", "own.json("),
        Attack.Of("options-04", "a byte order mark and comments", d => [.. Attack.Optimize(d, Onnx.Sound), "--target", Files.Bytes(d, "own.json", [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes("// mine\n" + Shipped("targets", "qdq.json"))])]) with { ExitCodes = [0] },
        Attack.Of("options-04", "YAML", d => [.. Attack.Optimize(d, Onnx.Sound), "--target", d.Write("own.yaml", "a: &a [x]\nb: [*a, *a]\n")], "own.yaml", "json") with { ExitCodes = [Usage] },
        Attack.Of("options-04", "a target that is a pipe", d => [.. Attack.Optimize(d, Onnx.Sound), "--target", Files.Pipe(d, "own.json")], "own.json", "not a regular file") with { ExitCodes = [Usage] },
        Attack.Of("options-04", "a target that is a folder", d => [.. Attack.Optimize(d, Onnx.Sound), "--target", Directory.CreateDirectory(d.File("own.json")).FullName], "own.json", "directory") with { ExitCodes = [Usage] },
        Attack.Of("options-04", "a recipe that is a pipe", d => ["compress", Tiny.Nano, "-o", d.File("out.onnx"), "--recipe", Files.Pipe(d, "own.json")], "own.json", "not a regular file") with { ExitCodes = [Usage] },
        Attack.Of("options-04", "a recipe with an unknown key", d => ["compress", Tiny.Nano, "-o", d.File("out.onnx"), "--recipe", d.Write("own.json", "{\n \"name\": \"a\",\n \"colour\": 1\n}")], "own.json(3,", "unknown key 'colour'", "docs/recipes.md") with { ExitCodes = [Usage] },
        Attack.Of("options-04", "a recipe of 100 MB", d => ["compress", Tiny.Nano, "-o", d.File("out.onnx"), "--recipe", Files.Hole(d, "own.json", 100_000_000)], "own.json", "has 100000000 bytes") with { ExitCodes = [Usage], MostAllocated = 20_000_000 },
    ];

    private static IEnumerable<Attack> Lists =>
    [
        Attack.Of("options-02", "a list of layers that is a pipe", d => Tiny.Quantize(d, Tiny.Encoder, "--exclude-from", Files.Pipe(d, "layers.txt")), "layers.txt", "not a regular file"),
        Attack.Of("options-02", "a list of layers that is a device", d => Tiny.Quantize(d, Tiny.Encoder, "--exclude-from", "/dev/zero"), "/dev/zero", "not a regular file"),
        Attack.Of("options-02", "a list of layers of 2 MB", d => Tiny.Quantize(d, Tiny.Encoder, "--exclude-from", d.Write("layers.txt", new string('x', 2 << 20))), "layers.txt", "2097152 bytes"),
        Attack.Of("options-02", "a list of layers that is a model", d => Tiny.Quantize(d, Tiny.Encoder, "--exclude-from", Files.Bytes(d, "other.onnx", Onnx.Sound)), "matches no layer") with { ExitCodes = [Usage] },
        Attack.Of("options-02", "a list of layers that is not there", d => Tiny.Quantize(d, Tiny.Encoder, "--exclude-from", d.File("gone.txt")), "gone.txt", "not found"),
        Attack.Of("options-02", "a state of a measurement that is a pipe", d => ["sensitivity", Tiny.Quantize(d, Tiny.Encoder)[1], "--calibration-data", d.File("pictures"), "--samples", "1", "-q", "--state", Files.Pipe(d, "state.json")], "state.json", "not a regular file"),
    ];

    private static Attack Option(string option, string value, params string[] says) =>
        Attack.Of("options-01", $"{option} {value}", d => [.. Tiny.Quantize(d, Tiny.Encoder), option, value], [option.StartsWith("--target", StringComparison.Ordinal) ? "" : option, .. says]) with { ExitCodes = [Usage] };

    private static Attack Target(string name, string json, params string[] says) =>
        Attack.Of("options-04", name, d => [.. Attack.Optimize(d, Onnx.Sound), "--target", d.Write("own.json", json)], says) with { ExitCodes = [Usage] };

    private static string Shipped(string folder, string name) => File.ReadAllText(Path.Combine(SkeletonModels.RepositoryRoot, folder, name));

    private static string Edited(string text, string replacement)
    {
        string json = Shipped("targets", "ort-cpu.json");
        Assert.Contains(text, json, StringComparison.Ordinal);
        return json.Replace(text, replacement, StringComparison.Ordinal);
    }
}
