using System.Text;
using SamCompress.Cli.Tests;

namespace SamCompress.Reliability.Tests.Attacks;

/// <summary>Files that are no model, or no whole one.</summary>
internal static class ContainerAttacks
{
    private const int OverNodes = 1_000_001;

    public static IEnumerable<Attack> All =>
    [
        .. NoFiles, .. OtherFormats, .. Cuts, .. Flips, .. Malformed, .. Claims, .. Deep, .. Large, .. Special,
    ];

    private static IEnumerable<Attack> NoFiles =>
    [
        Attack.OfModel("container-01", "an empty file", [], "is an empty file"),
        Attack.Of("container-01", "a directory", d => Attack.Optimize(d, Directory.CreateDirectory(d.File("model.onnx")).FullName), "model.onnx", "is a directory"),
        Attack.Of("container-01", "a missing file", d => Attack.Optimize(d, d.File("model.onnx")), "model.onnx", "not found"),
        Attack.Of("container-01", "a file in a missing folder", d => Attack.Optimize(d, d.File("nowhere/model.onnx")), "nowhere/model.onnx", "not found"),
        Attack.Of("container-01", "a file below a file", d => Attack.Optimize(d, Path.Combine(d.Write("a", ""), "model.onnx")), "a/model.onnx", "not found"),
        Attack.Of("container-01", "a name of 300 characters", d => Attack.Optimize(d, d.File(new string('n', 300))), "nnnn"),
    ];

    private static IEnumerable<Attack> OtherFormats =>
    [
        Text("a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "Git LFS pointer", "git lfs pull"),
        Text("an HTML page", "\n<!DOCTYPE html>\n<html><body>404</body></html>", "HTML page"),
        Text("JSON", "{\"error\": \"Repository not found\"}", "JSON"),
        Text("plain text", "Entry not found", "text file"),
        Text("XML", "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "text file"),
        Text("a pickle of protocol 0", "cos\nsystem\n(S'touch canary'\ntR.", "text file"),
        Format("container-10", "an .ort file", [0x18, 0, 0, 0, .. "ORTM"u8, 0, 0], "ONNX Runtime .ort"),
        Format("container-10", "a TensorFlow Lite model", [0x1C, 0, 0, 0, .. "TFL3"u8, 0, 0], "TensorFlow Lite"),
        Format("container-10", "TorchScript", [.. "PK\x03\x04"u8, 0, 0, .. new byte[20], .. "model/data.pkl"u8], "zip archive", "TorchScript"),
        Format("container-10", "a Core ML model", Wire.Join(Wire.Number(1, 4), Wire.Message(2, Wire.Message(1, Wire.Text(1, "image"))), Wire.Message(500, Wire.Message(1, [0xFF]))), "Core ML"),
        Format("container-10", "a GGUF model", [.. "GGUF"u8, 3, 0, 0, 0], "GGUF"),
        Format("container-10", "an HDF5 file", [0x89, .. "HDF\r\n\x1a\n"u8], "HDF5"),
        Format("container-10", "a NumPy array", [0x93, .. "NUMPY"u8, 1, 0], "NumPy"),
        Format("container-10", "a picture", [0xFF, 0xD8, 0xFF, 0xE0], "a picture"),
        Format("container-11", "a pickle that would run a command", [0x80, 2, .. "cos\nsystem\nq\0X\x0c\0\0\0touch canaryq\x01\x85q\x02Rq\x03."u8], "Python pickle", "never executed"),
        Format("container-11", "a checkpoint in a zip", Zip("archive/data.pkl"), "zip archive"),
        Format("container-12", "a zip whose entry leaves the folder", Zip("../../canary"), "zip archive"),
        Format("container-12", "an empty zip", [.. "PK\x05\x06"u8, .. new byte[18]], "zip archive"),
        Format("container-12", "a tar whose entry is absolute", Tar("/tmp/canary"), "tar archive"),
        Format("container-12", "a gzip bomb", [0x1F, 0x8B, 8, 0, .. new byte[20]], "gzip archive"),
        Safetensors("a header of 2^63 bytes", 1UL << 63, """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"""),
        Safetensors("ranges that overlap", null, """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"""),
        Safetensors("a hole", null, """{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"""),
        Safetensors("a key twice", null, """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"""),
        Safetensors("a shape that does not fit", null, """{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}"""),
    ];

    private static IEnumerable<Attack> Cuts => new[] { 1, 2, 3, 7, 20, 41, 60, 77, 99 }.Select(percent => Attack.OfModel(
        "container-03", $"the first {percent} % of a model", () => Onnx.Sound[..Math.Max(1, Onnx.Sound.Length * percent / 100)]));

    /// <summary>Sampled; the mutation tests go over every byte.</summary>
    private static IEnumerable<Attack> Flips => Enumerable.Range(0, 16).Select(i => Attack.OfModel("container-04", $"a flipped bit in part {i}", () =>
    {
        byte[] model = Onnx.Sound;
        model[model.Length * i / 16] ^= (byte)(1 << (i % 8));
        return model;
    }) with
    { ExitCodes = [0, 3, 4], Says = [] });

    private static IEnumerable<Attack> Malformed =>
    [
        Broken("a number of 11 bytes", [0x08, .. Wire.Repeat(10, [0xFF]), 1], "more than 10 bytes", "at byte"),
        Broken("field number 0", [.. Onnx.Sound, 0, 1], "field number 0 at byte"),
        Broken("a field number over 2^29", [.. Onnx.Sound, .. Wire.Tag(1L << 30, 0), 1], "field number 1073741824 at byte"),
        Broken("wire type 6", [.. Onnx.Sound, .. Wire.Tag(3, 6)], "wire type 6 at byte"),
        Broken("wire type 7", [.. Onnx.Sound, .. Wire.Tag(3, 7)], "wire type 7 at byte"),
        Broken("a group", [.. Onnx.Sound, .. Wire.Tag(999, 3), .. Wire.Tag(999, 4)], "wire type 3 at byte"),
        Broken("the end of a group", [.. Onnx.Sound, .. Wire.Tag(999, 4)], "wire type 4 at byte"),
        Broken("a group in the type of an input", Onnx.Model(Wire.Message(11, Wire.Text(1, "x"), Wire.Message(2, Wire.Message(1, Wire.Tag(2, 3))))), "wire type 3 at byte"),
        Broken("four bytes of which three are there", [.. Onnx.Sound, .. Wire.Tag(999, 5), 1, 2, 3], "ends inside a field at byte"),
        Broken("eight bytes of which none is there", [.. Onnx.Sound, .. Wire.Tag(999, 1)], "ends inside a field at byte"),
        Broken("a tag and no more", [.. Onnx.Sound, .. Wire.Tag(999, 0)], "ends inside a number at byte"),
        Broken("a graph that is a number", Wire.Join(Onnx.Header, Wire.Number(7, 1)), "no graph"),
        Broken("a node that reaches over its graph", Wire.Join(Onnx.Header, Wire.Message(7, Wire.Claim(1, 100))), "claims 100 bytes"),
        Broken("packed numbers that break off", Onnx.Adding(Onnx.Initializer("w", Onnx.Int64, [1], Wire.Message(7, [0x80]))), "not a well-formed ONNX file"),
        Broken("a name that is not UTF-8", Onnx.Adding(Wire.Message(5, Onnx.Tensor("", Onnx.Float, [4], Onnx.Raw(1f, 2, 3, 4)), Wire.Message(8, [(byte)'w', 0xC3, 0x28]))), "not UTF-8 at byte"),
        Broken("an op type with half a surrogate", Onnx.Model(Onnx.Input("x", 1), Wire.Message(1, Wire.Text(1, "x"), Wire.Text(2, "y"), Wire.Message(4, [0xED, 0xA0, 0x80])), Onnx.Output("y", 1)), "not UTF-8 at byte"),
        Broken("a symbolic dimension that is not UTF-8", Onnx.Model(Wire.Message(11, Wire.Text(1, "x"), Onnx.Type(1, Wire.Message(1, Wire.Message(2, [0xFF]))))), "not UTF-8 at byte"),
        Broken("only zeros", new byte[64], "field number 0 at byte 0"),
        Broken("only ones", Wire.Repeat(64, [0xFF]), "more than 10 bytes at byte 0"),
    ];

    private static IEnumerable<Attack> Claims =>
    [
        Attack.OfModel("container-06", "raw data of 2 GB in a file of some bytes", Wire.Join(Onnx.Header, Wire.Claim(7, 1_000_000_100), Wire.Claim(5, 1_000_000_090), Wire.Claim(9, 1_000_000_080)), "claims 1000000100 bytes", "at byte") with { MostAllocated = 2_000_000 },
        Attack.OfModel("container-06", "a field of 2^64 - 1 bytes", Wire.Join(Onnx.Header, Wire.Claim(7, ulong.MaxValue)), "claims 18446744073709551615 bytes") with { MostAllocated = 2_000_000 },
        Attack.OfModel("container-06", "a field of 2^63 bytes", Wire.Join(Onnx.Header, Wire.Claim(7, 1UL << 63)), "claims 9223372036854775808 bytes") with { MostAllocated = 2_000_000 },
        Attack.OfModel("container-06", "a name of 2^31 bytes", Wire.Join(Onnx.Header, Wire.Claim(2, 1UL << 31)), "claims 2147483648 bytes") with { MostAllocated = 2_000_000 },
    ];

    private static IEnumerable<Attack> Deep =>
    [
        .. new[] { 100, 10_000, 1_000_000 }.Select(depth => Attack.OfModel(
            "container-07", $"{depth} subgraphs in each other", () => Wire.Join(Onnx.Header, Wire.Message(7, Wire.Nested(depth, 1, 5, 6))), "nested deeper than 97")),
        Attack.OfModel("container-07", "1,000,000 types in each other", () => Onnx.Model(Wire.Message(11, Wire.Text(1, "x"), Wire.Message(2, Wire.Nested(1_000_000, 4, 1)))), "nested deeper than 97"),
        Attack.OfModel("container-07", "10,000 subgraphs in a function", () => Wire.Join(Onnx.Sound, Wire.Message(25, Wire.Message(7, Wire.Nested(10_000, 5, 6, 1)))), "nested deeper than 97"),
        Attack.OfModel("container-07", "10,000 subgraphs in training information", () => Wire.Join(Onnx.Sound, Wire.Message(20, Wire.Message(1, Wire.Nested(10_000, 1, 5, 6)))), "nested deeper than 97"),
    ];

    private static IEnumerable<Attack> Large =>
    [
        Attack.Of("container-08", "3 GB in one file", d => ["check", Sparse(d, Onnx.Header, 5, 750_000_000, 9)]) with { ExitCodes = [0, 1], MostAllocated = 20_000_000 },
        Attack.Of("container-08", "3 GB that are no tensor", d => ["check", Sparse(d, Onnx.Header, 0, 3_000_000_000, 10)], "model.onnx", "--max-graph-size") with { MostAllocated = 20_000_000 },
        Attack.OfModel("container-09", "1,000,001 nodes", () => Onnx.Model(Wire.Repeat(OverNodes, Onnx.Node("Relu", ["x"], ["y"]))), "more than 1000000 nodes", "--max-nodes"),
        Attack.OfModel("container-09", "1,000,001 initializers", () => Onnx.Model(Wire.Repeat(OverNodes, Onnx.Weight("w", 1))), "more than 1000000 initializers", "--max-tensors"),
        Attack.OfModel("container-09", "1,000,001 nodes in a function", () => Wire.Join(Onnx.Sound, Wire.Message(25, Wire.Repeat(OverNodes, Wire.Message(7, Wire.Text(4, "Relu"))))), "more than 1000000 nodes", "--max-nodes"),
        Attack.OfModel("container-09", "1,000,001 tensors in an attribute", () => Onnx.Model(Onnx.Node("Op", [], ["y"], Wire.Message(5, Wire.Repeat(OverNodes, Wire.Message(10, []))))), "--max-tensors"),
        Attack.Of("container-09", "more nodes than asked for", d => [.. Attack.Optimize(d, Two), "--max-nodes", "1"], "model.onnx", "more than 1 nodes", "--max-nodes"),
        Attack.Of("container-09", "more initializers than asked for", d => [.. Attack.Optimize(d, Two), "--max-tensors", "1"], "model.onnx", "--max-tensors"),
        Attack.Of("container-09", "a larger graph than asked for", d => [.. Attack.Optimize(d, Two), "--max-graph-size", "100"], "model.onnx", "more than 100", "--max-graph-size"),
        Attack.Of("container-09", "as many nodes as asked for", d => [.. Attack.Optimize(d, Two), "--max-nodes", "2", "--max-tensors", "2"]) with { ExitCodes = [0] },
    ];

    private static IEnumerable<Attack> Special =>
    [
        Attack.Of("container-14", "a pipe", d => Attack.Optimize(d, Files.Pipe(d, "model.onnx")), "model.onnx", "not a regular file"),
        Attack.Of("container-14", "a link to a pipe", d => Attack.Optimize(d, Files.Link(d, "model.onnx", Files.Pipe(d, "pipe"))), "model.onnx", "not a regular file"),
        Attack.Of("container-14", "an endless device", d => Attack.Optimize(d, "/dev/zero"), "/dev/zero", "not a regular file"),
        Attack.Of("container-14", "/dev/null", d => Attack.Optimize(d, "/dev/null"), "/dev/null"),
        Attack.Of("container-14", "the memory of the process", d => Attack.Optimize(d, "/proc/self/mem"), "/proc/self/mem", "not a regular file"),
        Attack.Of("container-14", "a file of the kernel that claims no length", d => Attack.Optimize(d, "/proc/self/environ"), "/proc/self/environ"),
        Attack.Of("container-14", "a socket", d => Attack.Optimize(d, Files.Socket(d, "model.onnx")), "model.onnx", "not a regular file"),
        Attack.Of("container-14", "a link to itself", d => Attack.Optimize(d, Files.Link(d, "model.onnx", d.File("model.onnx"))), "model.onnx"),
        .. new[] { "optimize", "inspect", "check", "quantize", "bench" }.Select(verb => Attack.Of(
            "container-15", $"standard input for {verb}", d => verb == "optimize" ? Attack.Optimize(d, "-") : [verb, "-"], "'-'", "standard input") with { ExitCodes = [2] }),
    ];

    private static byte[] Two => Onnx.Model(
        Onnx.Input("x", 1), Onnx.Weight("a", 2), Onnx.Weight("b", 3), Onnx.Node("Add", ["x", "a"], ["t"]), Onnx.Node("Mul", ["t", "b"], ["y"]), Onnx.Output("y", 1));

    private static Attack Text(string name, string text, params string[] says) => Attack.OfModel("container-02", name, Encoding.UTF8.GetBytes(text), says);

    private static Attack Broken(string name, byte[] model, params string[] says) => Attack.OfModel("container-05", name, model, says);

    private static Attack Format(string row, string name, byte[] file, params string[] says) =>
        Attack.OfModel(row, name, file, says) with { ExitCodes = [4], Afterwards = d => Assert.False(File.Exists("canary") || File.Exists(d.File("canary"))) };

    private static Attack Safetensors(string name, ulong? length, string header) => Format(
        "container-13", name, [.. BitConverter.GetBytes(length ?? (ulong)header.Length), .. Encoding.UTF8.GetBytes(header), 0, 0, 0, 0], "safetensors");

    private static byte[] Zip(string entry) => [.. "PK\x03\x04"u8, .. new byte[22], (byte)entry.Length, 0, 0, 0, .. Encoding.ASCII.GetBytes(entry)];

    private static byte[] Tar(string entry)
    {
        var block = new byte[1024];
        Encoding.ASCII.GetBytes(entry, block);
        "ustar"u8.CopyTo(block.AsSpan(257));
        return block;
    }

    /// <summary>A model of which most is a hole in the file.</summary>
    /// <param name="tensorField">The field of the graph that holds the long field: four tensors of that length; 0 for the long field itself, once.</param>
    private static string Sparse(TemporaryDirectory directory, byte[] header, int tensorField, long length, int field)
    {
        string path = directory.File("model.onnx");
        int count = tensorField == 0 ? 1 : 4;
        byte[][] heads = [.. Enumerable.Range(0, count).Select(i =>
        {
            byte[] head = tensorField == 0 ? Wire.Claim(field, (ulong)length) : [.. Onnx.Tensor($"w{i}", Onnx.Float, [length / 4]), .. Wire.Claim(field, (ulong)length)];
            return tensorField == 0 ? head : [.. Wire.Claim(tensorField, (ulong)(head.Length + length)), .. head];
        })];
        using FileStream file = File.Create(path);
        file.Write(header);
        file.Write(Wire.Claim(7, (ulong)heads.Sum(h => h.Length + length)));
        foreach (byte[] head in heads)
        {
            file.Write(head);
            file.Seek(length, SeekOrigin.Current);
        }

        file.SetLength(file.Position);
        return path;
    }
}
