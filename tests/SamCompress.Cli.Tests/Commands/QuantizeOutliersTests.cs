using System.Text.Json;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

/// <summary>The sample model with the outliers of real models, on which rounding alone fails: the masks of 8 pictures that calibration has not seen.</summary>
public sealed class QuantizeOutliersTests
{
    private static readonly string Encoder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano-hard", "encoder.onnx");

    /// <summary>The demands on this model; see docs/quantization.md.</summary>
    [Theory]
    [InlineData(0.98, "--precision", "w8a8")]
    [InlineData(0.98, "--precision", "w8a8", "--target", "qdq")]
    [InlineData(0.98, "--precision", "w8a8", "--target", "tensorrt")]
    [InlineData(0.92, "--precision", "w6a6")]
    [InlineData(0.95, "--precision", "w4a16", "--gptq-stages", "2")]
    [InlineData(0.95, "--precision", "w4a8")]
    public void The_masks_are_kept(double least, params string[] options)
    {
        JsonElement report = Quantize(options);

        Assert.InRange(report.GetProperty("quality").GetProperty("meanIou").GetDouble(), least, 1);
        Assert.True(report.GetProperty("quality").GetProperty("heldOut").GetBoolean());
        Assert.Empty(report.GetProperty("quantizers").GetProperty("dead").EnumerateArray());
        Assert.DoesNotContain(report.GetProperty("diagnostics").EnumerateArray(), d => d.GetProperty("id").GetString()!.StartsWith("SC32", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_equalization_they_are_not()
    {
        JsonElement report = Quantize("--no-equalize");

        Assert.InRange(report.GetProperty("quality").GetProperty("meanIou").GetDouble(), 0, 0.97);
    }

    [Theory]
    [InlineData("--calibration-method", "hessian")]
    [InlineData("--rerank", "1")]
    public void What_is_judged_by_masks_needs_a_decoder(params string[] options)
    {
        using var directory = new TemporaryDirectory();
        File.Copy(Encoder, directory.File("alone.onnx"));

        CommandRun run = CommandRun.Of(["quantize", directory.File("alone.onnx"), "--calibration-data", Pictures, "-q", .. options]);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("there is no decoder beside the model", run.Error, StringComparison.Ordinal);
        Assert.Equal(["alone.onnx"], directory.Names);
    }

    [Fact]
    public void Few_bits_are_refused_where_the_target_has_none()
    {
        CommandRun run = CommandRun.Of("quantize", Encoder, "--target", "tensorrt", "--precision", "w4a16", "--dry-run", "-q");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("target tensorrt cannot run w4a16", run.Error, StringComparison.Ordinal);
    }

    private static string Pictures => Path.Combine(SkeletonModels.RepositoryRoot, "calibration");

    private static JsonElement Quantize(params string[] options)
    {
        using var directory = new TemporaryDirectory();
        CommandRun run = CommandRun.Of(["quantize", Encoder, "-o", directory.File("e.onnx"), "--format", "json", "-q", .. options]);
        Assert.True(run.ExitCode is 0, run.Error);
        return run.Json;
    }
}
