using System.Security.Cryptography;
using System.Text.Json;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

/// <summary>What <c>--output-dir</c> writes, and what <c>check</c> says of it afterwards.</summary>
public sealed class BundleTests(BundleTests.Delivery delivery) : IClassFixture<BundleTests.Delivery>
{
    private const string Source = "ca304827f85a52e81aca75a3549be2780a9a8b02aba99e52f0c991e7b42d5efb"; // models/sam-nano/manifest.json

    [Fact]
    public void Names_are_fixed_and_all_of_them_are_in_the_manifest()
    {
        Assert.Equal(0, delivery.Run.ExitCode);
        Assert.Equal(["decoder.onnx", "encoder.onnx", "encoder.report.html", "encoder.report.json", "encoder.report.md", "manifest.json"], delivery.Directory.Names);
        Assert.Equal(
            ["encoder.onnx", "encoder.report.json", "encoder.report.md", "encoder.report.html", "decoder.onnx"],
            Manifest.GetProperty("files").EnumerateArray().Select(f => f.GetProperty("file").GetString()));
        foreach (JsonElement file in Manifest.GetProperty("files").EnumerateArray())
        {
            byte[] bytes = File.ReadAllBytes(delivery.Directory.File(file.GetProperty("file").GetString()!));
            Assert.Equal(bytes.Length, file.GetProperty("bytes").GetInt64());
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), file.GetProperty("sha256").GetString());
        }
    }

    [Fact]
    public void The_manifest_says_what_the_encoder_was_made_of_and_names_no_folder()
    {
        JsonElement provenance = Manifest.GetProperty("provenance");
        Assert.Equal(Source, provenance.GetProperty("source-sha256").GetString());
        Assert.Equal(Source, Manifest.GetProperty("source").GetProperty("sha256").GetString());
        Assert.StartsWith("pytorch", provenance.GetProperty("source-producer").GetString(), StringComparison.Ordinal);
        foreach (string hash in (string[])["options-sha256", "calibration-sha256", "calibration-set-sha256"])
            Assert.Equal(64, provenance.GetProperty(hash).GetString()!.Length);
        Assert.DoesNotContain(delivery.Directory.Path, File.ReadAllText(delivery.Directory.File("manifest.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_was_swapped_for_one_of_equal_size_is_found()
    {
        using TemporaryDirectory copy = Copy();
        Assert.Equal(0, CommandRun.Of("check", copy.File("manifest.json")).ExitCode);
        byte[] bytes = File.ReadAllBytes(copy.File("decoder.onnx"));
        bytes[^1] ^= 1;
        File.WriteAllBytes(copy.File("decoder.onnx"), bytes);

        CommandRun run = CommandRun.Of("check", copy.File("manifest.json"));

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("(decoder.onnx): error SC1103: provenance hash mismatch", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_and_longer_files_are_found_in_one_run()
    {
        using TemporaryDirectory copy = Copy();
        File.Delete(copy.File("decoder.onnx"));
        File.AppendAllText(copy.File("encoder.report.md"), "more");

        CommandRun run = CommandRun.Of("check", copy.File("manifest.json"), "--format", "json");

        Assert.Equal(1, run.ExitCode);
        Assert.Equal(["SC1102", "SC1101"], run.Json.GetProperty("findings").EnumerateArray().Select(f => f.GetProperty("id").GetString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{ \"files\": 3 }")]
    [InlineData("{ \"files\": [ { \"file\": \"../secret\", \"bytes\": 1, \"sha256\": \"\" } ] }")]
    [InlineData("{ \"files\": [ { \"bytes\": 1 } ] }")]
    public void What_is_no_manifest_is_refused(string text)
    {
        using var directory = new TemporaryDirectory();
        Assert.Equal(3, CommandRun.Of("check", directory.Write("manifest.json", text)).ExitCode);
    }

    [Fact]
    public void A_folder_and_a_file_contradict_each_other() =>
        Assert.Equal(2, CommandRun.Of("quantize", Delivery.Nano, "-o", "x.onnx", "--output-dir", "x").ExitCode);

    private JsonElement Manifest => JsonDocument.Parse(File.ReadAllText(delivery.Directory.File("manifest.json"))).RootElement;

    private TemporaryDirectory Copy()
    {
        var copy = new TemporaryDirectory();
        foreach (string name in delivery.Directory.Names)
            File.Copy(delivery.Directory.File(name), copy.File(name));
        return copy;
    }

    public sealed class Delivery : IDisposable
    {
        internal static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");

        public Delivery() => Run = CommandRun.Of("quantize", Nano, "--output-dir", Directory.Path, "--samples", "2", "-q");

        internal TemporaryDirectory Directory { get; } = new();

        internal CommandRun Run { get; }

        public void Dispose() => Directory.Dispose();
    }
}
