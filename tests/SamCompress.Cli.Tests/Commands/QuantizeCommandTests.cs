using SamCompress.IR;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

/// <summary>What <c>quantize</c> refuses, before any work and without leaving anything behind.</summary>
public sealed class QuantizeCommandTests : IDisposable
{
    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    private static readonly string Decoder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "decoder.onnx");
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("--precision", "banana", "use one of w8a8, w6a6, w4a16, w4a8, int8")]
    [InlineData("--samples", "0", "a whole number from 1")]
    [InlineData("--samples", "-1", "a whole number from 1")]
    [InlineData("--samples", "1e9", "a whole number from 1")]
    [InlineData("--samples", "2.5", "a whole number from 1")]
    [InlineData("--calibration-method", "magic", "use one of minmax, percentile, mse, cosine, kl, hessian, entropy")]
    [InlineData("--min-miou", "NaN", "a number from 0 to 1")]
    [InlineData("--min-miou", "1.5", "a number from 0 to 1")]
    [InlineData("--max-memory", "lots", "write a size")]
    [InlineData("--threads", "-2", "a whole number from 0")]
    [InlineData("--device", "tpu", "use one of cpu, cuda")]
    [InlineData("--external-data", "maybe", "use one of auto, always, never")]
    [InlineData("--skip-bad-images", "-1", "a whole number from 0")]
    public void A_wrong_value_is_refused_at_once_with_the_right_ones(string option, string value, string answer)
    {
        CommandRun run = CommandRun.Of("quantize", "absent.onnx", option, value);

        Assert.Equal(2, run.ExitCode);
        Assert.Empty(run.Out);
        Assert.Contains(answer, run.ErrorLines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("101")]
    [InlineData("NaN")]
    [InlineData("50")]
    public void A_percentile_is_over_50_up_to_100(string percentile) =>
        Assert.Equal(2, CommandRun.Of("quantize", Nano, "--calibration-method", "percentile", "--percentile", percentile).ExitCode);

    [Fact]
    public void A_percentile_without_its_method_is_a_contradiction() =>
        Assert.Contains("--calibration-method percentile", CommandRun.Of("quantize", Nano, "--percentile", "99").ErrorLines[0], StringComparison.Ordinal);

    [Fact]
    public void A_model_of_the_user_needs_pictures()
    {
        string model = _directory.File("mine.onnx");
        using (Model sample = OnnxReader.Read(Nano))
        {
            sample.SetMetadata("mine", "yes");
            OnnxWriter.Save(sample, model);
        }

        CommandRun run = CommandRun.Of("quantize", model, "-q");

        Assert.Equal(2, run.ExitCode);
        Assert.Empty(run.Out);
        Assert.Contains("--calibration-data", run.Error, StringComparison.Ordinal);
        Assert.Equal(["mine.onnx"], _directory.Names);
    }

    [Theory]
    [InlineData("out.onnx")]
    [InlineData("out.onnx.data")]
    [InlineData("out.report.json")]
    [InlineData("out.report.html")]
    public void An_existing_output_is_refused_before_the_work(string existing)
    {
        _directory.Write(existing, "old");

        CommandRun run = CommandRun.Of("quantize", Nano, "-o", _directory.File("out.onnx"));

        Assert.Equal(5, run.ExitCode);
        Assert.Equal(2, run.ErrorLines.Length);
        Assert.Contains("--overwrite", run.ErrorLines[1], StringComparison.Ordinal);
        Assert.Equal([existing], _directory.Names);
        Assert.Equal("old", File.ReadAllText(_directory.File(existing)));
    }

    [Fact]
    public void The_input_is_never_the_output() =>
        Assert.Equal(2, CommandRun.Of("quantize", Nano, "-o", Nano, "--overwrite").ExitCode);

    [Fact]
    public void A_decoder_is_named_as_what_it_is()
    {
        CommandRun run = CommandRun.Of("quantize", Path.Combine(Path.GetDirectoryName(Nano)!, "decoder.onnx"), "-o", _directory.File("out.onnx"), "-q");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("mask decoder", run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void An_empty_folder_of_pictures_is_refused_and_never_made_up_for()
    {
        Directory.CreateDirectory(_directory.File("pictures"));
        _directory.Write("pictures/readme.txt.md", "no picture");

        CommandRun run = CommandRun.Of("quantize", Nano, "-o", _directory.File("out.onnx"), "--calibration-data", _directory.File("pictures"), "-q");

        Assert.Equal(3, run.ExitCode);
        Assert.Equal(["pictures"], _directory.Names);
    }

    [Fact]
    public void Fewer_pictures_than_asked_for_are_refused()
    {
        CommandRun run = CommandRun.Of(
            "quantize", Nano, "-o", _directory.File("out.onnx"), "--calibration-data", Path.Combine(SkeletonModels.RepositoryRoot, "calibration"), "--samples", "41", "-q");

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("40 pictures, 41 are wanted", run.ErrorLines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void An_exclusion_that_matches_nothing_lists_near_names()
    {
        CommandRun run = CommandRun.Of("quantize", Nano, "-o", _directory.File("out.onnx"), "--nodes-to-exclude", "/blocks.0/attn/qkv/Matmul", "-q");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("/blocks.0/attn/qkv/MatMul", run.ErrorLines[1], StringComparison.Ordinal);
        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void Nothing_to_quantize_is_a_negative_result_and_writes_nothing()
    {
        CommandRun run = CommandRun.Of("quantize", Nano, "-o", _directory.File("out.onnx"), "--nodes-to-exclude", "*", "--format", "json", "-q");

        Assert.Equal(1, run.ExitCode);
        Assert.Equal("excluded by '*'", run.Json.GetProperty("layers")[0].GetProperty("why").GetString());
        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void A_dry_run_says_what_would_be_done_and_writes_nothing()
    {
        CommandRun run = CommandRun.Of("quantize", Nano, "-o", _directory.File("out.onnx"), "--samples", "1", "--dry-run", "-q");

        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("planned    26 of 26 Linear, 1 of 1 Conv", run.Out, StringComparison.Ordinal);
        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void Too_little_memory_is_foreseen()
    {
        CommandRun run = CommandRun.Of("quantize", Nano, "-o", _directory.File("out.onnx"), "--max-memory", "50MB", "-q");

        Assert.Equal(6, run.ExitCode);
        Assert.Contains("--max-memory", run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void An_interruption_leaves_nothing_behind()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();

        CommandRun run = CommandRun.Of(source.Token, "quantize", Nano, "-o", _directory.File("out.onnx"));

        Assert.Equal(130, run.ExitCode);
        Assert.Empty(run.Out);
        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void A_decoder_is_quantized_behind_its_encoder_and_keeps_the_masks()
    {
        CommandRun run = CommandRun.Of(
            "quantize", Decoder, "--encoder", Nano, "-o", _directory.File("decoder.onnx"), "--samples", "4", "-q", "--format", "json");

        Assert.Equal(0, run.ExitCode);
        System.Text.Json.JsonElement report = System.Text.Json.JsonDocument.Parse(run.Out).RootElement;
        Assert.True(report.GetProperty("quality").GetProperty("meanIou").GetDouble() >= 0.95);
        Assert.Equal(4, report.GetProperty("calibration").GetProperty("pictures").GetInt32());
    }

    [Fact]
    public void A_decoder_needs_its_encoder_and_an_encoder_takes_none()
    {
        Assert.Equal(4, CommandRun.Of("quantize", Decoder, "-o", _directory.File("d.onnx"), "-q").ExitCode);
        Assert.Equal(4, CommandRun.Of("quantize", Nano, "--encoder", Nano, "-o", _directory.File("e.onnx"), "-q").ExitCode);
        Assert.Empty(_directory.Names);
    }
}
