using System.Text.Json;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

public sealed class SensitivityCommandTests : IDisposable
{
    private static readonly string Encoder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    private static readonly string Decoder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "decoder.onnx");

    /// <summary>Four layers, so that it takes seconds.</summary>
    private static readonly string[] Few = ["--nodes-to-quantize", "/blocks.0/*/MatMul", "--samples", "2", "-q"];
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Layers_are_told_worst_first_and_listed_for_quantize()
    {
        string list = _directory.File("worst.txt"), cache = _directory.File("cache");
        CommandRun run = CommandRun.Of(["sensitivity", Encoder, "-o", list, "--worst", "1", "--calibration-cache", cache, "--format", "json", .. Few]);

        Assert.Equal(0, run.ExitCode);
        JsonElement[] layers = [.. run.Json.GetProperty("layers").EnumerateArray()];
        double[] losses = [.. layers.Select(l => l.GetProperty("iouLoss").GetDouble())];
        Assert.Equal(4, layers.Length);
        Assert.Equal(losses.OrderDescending(), losses);
        Assert.All(layers, l => Assert.InRange(l.GetProperty("embeddingSqnr").GetDouble(), 20, 120));
        Assert.True(run.Json.GetProperty("embeddingSqnr").GetDouble() < layers.Min(l => l.GetProperty("embeddingSqnr").GetDouble()));
        Assert.Equal((2, 32), (run.Json.GetProperty("pictures").GetInt32(), run.Json.GetProperty("masks").GetInt32()));

        // 14 x 14 windows of 7 x 7 with padding: four windows of 49 tokens, 192 inputs, 192 outputs.
        JsonElement projection = layers.Single(l => l.GetProperty("name").GetString() == "/blocks.0/attn/proj/MatMul");
        Assert.Equal((192 * 192) + 192, projection.GetProperty("parameters").GetInt64());
        Assert.Equal(0, projection.GetProperty("macs").GetInt64() % (192 * 192));

        CommandRun quantized = CommandRun.Of(
            "quantize", Encoder, "-o", _directory.File("e.onnx"), "--exclude-from", list, "--calibration-cache", cache, "--nodes-to-quantize", "/blocks.0/*/MatMul", "--dry-run", "--format", "json", "-q");
        Assert.Equal(2, quantized.ExitCode);
        Assert.Contains("--nodes-to-exclude", quantized.Error, StringComparison.Ordinal);

        quantized = CommandRun.Of("quantize", Encoder, "-o", _directory.File("e.onnx"), "--exclude-from", list, "--samples", "1", "--dry-run", "--format", "json", "-q");
        Assert.Equal(0, quantized.ExitCode);
        JsonElement excluded = Assert.Single(quantized.Json.GetProperty("layers").EnumerateArray(), l => l.GetProperty("execution").GetString() == "float");
        Assert.Equal(layers[0].GetProperty("name").GetString(), excluded.GetProperty("name").GetString());
    }

    [Fact]
    public void The_table_has_one_line_for_each_layer_and_one_for_all()
    {
        CommandRun run = CommandRun.Of(["sensitivity", Encoder, "--nodes-to-quantize", "/blocks.0/attn/qkv/MatMul", "--samples", "1", "-q"]);

        string[] lines = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(3, lines.Length);
        Assert.EndsWith("  layer that alone is quantized", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("  /blocks.0/attn/qkv/MatMul", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("  all of them, on 1 pictures, 16 masks", lines[2], StringComparison.Ordinal);

        // The only layer alone is all layers together.
        Assert.Equal(lines[1][..18], lines[2][..18]);
    }

    [Fact]
    public void A_state_is_gone_on_from_and_belongs_to_its_pictures()
    {
        string state = _directory.File("state.json");
        string[] command = ["sensitivity", Encoder, "--nodes-to-quantize", "/blocks.0/attn/qkv/MatMul", "--state", state, "--format", "json", "-q"];
        Assert.Equal(0, CommandRun.Of([.. command, "--samples", "1"]).ExitCode);
        string text = File.ReadAllText(state);

        // A number that no measurement gives: it is taken from the state and not measured again.
        File.WriteAllText(state, text.Replace("\"meanIou\": 0", "\"meanIou\": 0.125, \"was\": 0", StringComparison.Ordinal).Replace("\"meanIou\": 1", "\"meanIou\": 0.125, \"was\": 1", StringComparison.Ordinal));
        CommandRun again = CommandRun.Of([.. command, "--samples", "1"]);
        Assert.Equal(0.125, again.Json.GetProperty("layers")[0].GetProperty("meanIou").GetDouble());

        CommandRun other = CommandRun.Of([.. command, "--samples", "2"]);
        Assert.Equal(3, other.ExitCode);
        Assert.Contains("other pictures", other.Error, StringComparison.Ordinal);

        File.WriteAllText(state, "no json");
        Assert.Equal(3, CommandRun.Of([.. command, "--samples", "1"]).ExitCode);
        Assert.Equal("no json", File.ReadAllText(state));
    }

    [Fact]
    public void A_decoder_is_measured_behind_its_encoder()
    {
        CommandRun run = CommandRun.Of(
            "sensitivity", Decoder, "--encoder", Encoder, "--nodes-to-quantize", "*/ConvTranspose/MatMul", "--samples", "1", "--calibration-data", Path.Combine(SkeletonModels.RepositoryRoot, "calibration"), "--format", "json", "-q");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(2, run.Json.GetProperty("layers").GetArrayLength());
        Assert.All(run.Json.GetProperty("layers").EnumerateArray(), l => Assert.InRange(l.GetProperty("meanIou").GetDouble(), 0.9, 1));
    }

    [Fact]
    public void Nothing_to_measure_is_a_negative_result()
    {
        CommandRun run = CommandRun.Of("sensitivity", Encoder, "--nodes-to-exclude", "*", "-q");

        Assert.Equal(1, run.ExitCode);
        Assert.Equal("no layer can be quantized\n", run.Out);
    }

    [Theory]
    [InlineData(2, "--samples", "0")]
    [InlineData(2, "--worst", "0")]
    [InlineData(3, "--samples", "41")]
    [InlineData(3, "--exclude-from", "absent.txt")]
    [InlineData(2, "--nodes-to-exclude", "nothing")]
    public void What_does_not_fit_is_refused(int exitCode, string option, string value)
    {
        CommandRun run = CommandRun.Of("sensitivity", Encoder, option, value, "-q");

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Empty(run.Out);
    }

    [Fact]
    public void An_existing_list_is_refused_before_the_work()
    {
        _directory.Write("list.txt", "mine");

        Assert.Equal(5, CommandRun.Of("sensitivity", Encoder, "-o", _directory.File("list.txt"), "-q").ExitCode);
        Assert.Equal("mine", File.ReadAllText(_directory.File("list.txt")));
    }
}
