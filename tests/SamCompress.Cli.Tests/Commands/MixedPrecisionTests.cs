using System.Text.Json;
using SamCompress.IR;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

/// <summary>Layers of the sample model that are left float for the sake of the masks.</summary>
public sealed class MixedPrecisionTests : IDisposable
{
    private static readonly string Encoder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    private static readonly string Pictures = Path.Combine(SkeletonModels.RepositoryRoot, "calibration");
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>
    /// A drop half as large as that of the six layers together cannot be met by all of them and, as each adds to it, must be met by some.
    /// </summary>
    [Fact]
    public void A_small_drop_is_met_by_leaving_some_layers_float()
    {
        double drop = 1 - Quantize("--max-drop", "1").Json.GetProperty("mixedPrecision").GetProperty("meanIouBefore").GetDouble();
        CommandRun run = Quantize("--overwrite", "--max-drop", FormattableString.Invariant($"{drop / 2:F6}"));

        JsonElement mixed = run.Json.GetProperty("mixedPrecision");
        Assert.True(mixed.GetProperty("met").GetBoolean());
        Assert.True(mixed.GetProperty("meanIouBefore").GetDouble() < mixed.GetProperty("wantedIou").GetDouble());
        Assert.True(mixed.GetProperty("meanIouAfter").GetDouble() >= mixed.GetProperty("wantedIou").GetDouble());
        Assert.Equal(1 - drop, mixed.GetProperty("meanIouBefore").GetDouble(), 12);
        string[] reverted = [.. mixed.GetProperty("reverted").EnumerateArray().Select(l => l.GetProperty("name").GetString()!)];
        Assert.InRange(reverted.Length, 1, 5);

        JsonElement[] kept = [.. run.Json.GetProperty("layers").EnumerateArray().Where(l => l.GetProperty("why").GetString()!.StartsWith("kept float for the masks", StringComparison.Ordinal))];
        Assert.Equal(reverted.Order(StringComparer.Ordinal), kept.Select(l => l.GetProperty("name").GetString()!).Order(StringComparer.Ordinal));
        Assert.Equal(6 - reverted.Length, run.Json.GetProperty("layers").EnumerateArray().Count(l => l.GetProperty("integerKernel").GetBoolean()));
        Assert.Equal("max-drop", run.Json.GetProperty("gates")[0].GetProperty("name").GetString());
        Assert.Equal(run.Json.GetProperty("gatesMet").GetBoolean() ? 0 : 1, run.ExitCode);
        Assert.Contains("| layer kept float |", File.ReadAllText(_directory.File("e.report.md")), StringComparison.Ordinal);
        using Model artifact = OnnxReader.Read(_directory.File("e.onnx"));
        Assert.Equal(6 - reverted.Length, run.Json.GetProperty("quantizers").GetProperty("weights").GetInt32());
    }

    [Fact]
    public void A_drop_that_is_kept_anyway_costs_one_evaluation()
    {
        CommandRun run = Quantize("--max-drop", "0.5");

        Assert.Equal(0, run.ExitCode);
        JsonElement mixed = run.Json.GetProperty("mixedPrecision");
        Assert.Equal((true, 1, 0), (mixed.GetProperty("met").GetBoolean(), mixed.GetProperty("evaluations").GetInt32(), mixed.GetProperty("reverted").GetArrayLength()));
    }

    /// <summary>One layer cannot be mixed with itself: it stays quantized, and the gate says what came of it.</summary>
    [Fact]
    public void What_no_mixture_reaches_is_a_gate_that_is_missed()
    {
        CommandRun run = CommandRun.Of(
            "quantize", Encoder, "-o", _directory.File("e.onnx"), "--calibration-data", Pictures, "--samples", "2", "--nodes-to-quantize", "/blocks.2/mlp/lin1/MatMul", "--min-miou", "1", "-q");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("mixed      no mixture reaches a mean IoU of 1.0000", run.Out, StringComparison.Ordinal);
        Assert.Contains("mean-iou MISSED", run.Out, StringComparison.Ordinal);
        Assert.Contains("1 of 26 Linear", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_decoder_a_drop_of_masks_cannot_be_asked_for()
    {
        File.Copy(Encoder, _directory.File("alone.onnx"));

        CommandRun run = CommandRun.Of("quantize", _directory.File("alone.onnx"), "--calibration-data", Pictures, "--samples", "1", "--max-drop", "0.01", "-q");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--decoder FILE", run.Error, StringComparison.Ordinal);
        Assert.Equal(["alone.onnx"], _directory.Names);
    }

    private CommandRun Quantize(params string[] more) => CommandRun.Of(
        ["quantize", Encoder, "-o", _directory.File("e.onnx"), "--calibration-data", Pictures, "--samples", "2", "--nodes-to-quantize", "/blocks.?/mlp/lin1/MatMul", "--format", "json", "-q", .. more]);
}
