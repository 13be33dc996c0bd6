using System.Text.Json;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

public sealed class InspectCommandTests : IDisposable
{
    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Text_says_what_is_in_the_sample_model()
    {
        CommandRun run = CommandRun.Of("inspect", Nano);

        Assert.Equal(0, run.ExitCode);
        Assert.Empty(run.Error);
        Snapshot.Match(run.Out.Replace(Nano, "encoder.onnx", StringComparison.Ordinal));
    }

    [Fact]
    public void Json_has_the_names_that_pipelines_rely_on()
    {
        CommandRun run = CommandRun.Of("inspect", Nano, "--format", "json");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(1, run.Json.GetProperty("schemaVersion").GetInt32());
        Assert.Equal(3_045_824, run.Json.GetProperty("parameters").GetInt64());
        JsonElement macs = run.Json.GetProperty("macs");
        Assert.True(macs.GetProperty("linear").GetInt64() > macs.GetProperty("attention").GetInt64());
        Assert.True(macs.GetProperty("attention").GetInt64() > macs.GetProperty("relativePosition").GetInt64());
        Assert.Equal(1615, run.Json.GetProperty("nodes").GetInt32());
        Assert.Equal([1, 3, 256, 256], run.Json.GetProperty("inputs")[0].GetProperty("shape").EnumerateArray().Select(d => d.GetInt32()));
    }

    [Fact]
    public void A_symbolic_input_is_fixed_on_request()
    {
        string decoder = SkeletonModels.SkeletonPath("sam_decoder");

        CommandRun run = CommandRun.Of("inspect", decoder, "--input-shape", "point_coords:1,2,2", "--input-shape", "point_labels:1,2", "--format=json");

        Assert.Equal([1, 2, 2], run.Json.GetProperty("inputs")[1].GetProperty("shape").EnumerateArray().Select(d => d.GetInt32()));
        Assert.Equal("samDecoder", run.Json.GetProperty("kind").GetString());
    }

    [Theory]
    [InlineData("point_coords:1,x", "no input shape")]
    [InlineData("1,2,2", "no input shape")]
    [InlineData("coords:1,2,2", "no input 'coords'")]
    [InlineData("point_coords:1,2,3", "does not fit")]
    public void A_wrong_input_shape_is_a_usage_error(string shape, string message)
    {
        CommandRun run = CommandRun.Of("inspect", SkeletonModels.SkeletonPath("sam_decoder"), "--input-shape", shape);

        Assert.Equal(2, run.ExitCode);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.ErrorLines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 3, "empty file")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", 3, "Git LFS")]
    [InlineData("<!DOCTYPE html><html><title>404</title></html>", 3, "HTML")]
    [InlineData("{\"model\": 1}", 3, "JSON")]
    public void What_is_no_model_is_named(string content, int exitCode, string named)
    {
        string path = _directory.Write("m.onnx", content);

        CommandRun run = CommandRun.Of("inspect", path);

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Empty(run.Out);
        Assert.StartsWith($"{path}: error SC{exitCode}", run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains(named, run.Error, StringComparison.Ordinal);
        Assert.Equal(["m.onnx"], _directory.Names);
    }

    [Fact]
    public void A_missing_file_and_a_directory_are_told_apart()
    {
        Assert.Contains("not found", CommandRun.Of("inspect", _directory.File("none.onnx")).ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains("is a directory", CommandRun.Of("inspect", _directory.Path).ErrorLines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_model_it_asks_for_one() => Assert.Equal(2, CommandRun.Of("inspect").ExitCode);

    [Fact]
    public void The_model_may_be_an_option_but_not_both()
    {
        Assert.Equal(0, CommandRun.Of("inspect", "-m", Nano).ExitCode);
        Assert.Equal(2, CommandRun.Of("inspect", Nano, "-m", Nano).ExitCode);
    }
}
