using System.Text.Json;
using SamCompress.IR;
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
    public void Json_names_attentions_that_are_not_understood()
    {
        using Model model = ModelText.Parse("g (float[1,4,4] x) => (float[1,4,4] y) <float[4,4] w = {1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1}> { n = Neg (x) p = Softmax <axis = -1> (n) v = MatMul (x, w) y = MatMul (p, v) }", opset: 17);
        OnnxWriter.Save(model, _directory.File("m.onnx"));

        CommandRun run = CommandRun.Of("inspect", _directory.File("m.onnx"), "--format", "json");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Softmax", run.Json.GetProperty("attention").GetProperty("misses")[0].GetProperty("softmax").GetString(), StringComparison.Ordinal);
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
        Assert.Equal(6, run.Json.GetProperty("structure").GetProperty("softmax").GetInt32());
        Assert.True(run.Json.GetProperty("memory").GetProperty("movedBytes").GetInt64() > run.Json.GetProperty("memory").GetProperty("activationBytes").GetInt64());
        Assert.Equal([1, 3, 256, 256], run.Json.GetProperty("inputs")[0].GetProperty("shape").EnumerateArray().Select(d => d.GetInt32()));
    }

    [Fact]
    public void Comparison_shows_both_models_and_the_ratio()
    {
        string optimized = _directory.File("optimized.onnx");
        Assert.Equal(0, CommandRun.Of("optimize", Nano, "-o", optimized).ExitCode);

        CommandRun run = CommandRun.Of("inspect", Nano, "--compare", optimized);

        Assert.Equal(0, run.ExitCode);
        Assert.Empty(run.Error);
        Snapshot.Match(run.Out.Replace(Nano, "encoder.onnx", StringComparison.Ordinal).Replace(optimized, "optimized.onnx", StringComparison.Ordinal));
        JsonElement json = CommandRun.Of("inspect", Nano, "--compare", optimized, "--format", "json").Json;
        JsonElement nodes = json.GetProperty("quantities").GetProperty("nodes");
        Assert.Equal(json.GetProperty("before").GetProperty("nodes").GetInt32(), nodes.GetProperty("before").GetInt32());
        Assert.InRange(nodes.GetProperty("ratio").GetDouble(), 0.05, 0.5);

        // Four windowed blocks run two Linears on 256 rows in place of 21 x 21; positions are also multiplied by a basis: 54 windows and heads of 49 tokens, 6 heads of 256.
        long saved = 4L * ((21 * 21) - 256) * ((192 * 576) + (192 * 192)), basis = (4L * 54 * 49 * 14 * 49) + (2L * 6 * 256 * 32 * 256);
        JsonElement macs = json.GetProperty("quantities").GetProperty("macs");
        Assert.Equal(macs.GetProperty("before").GetInt64() - saved + basis, macs.GetProperty("after").GetInt64());
    }

    [Fact]
    public void Nodes_are_listed_by_their_operations()
    {
        string optimized = _directory.File("optimized.onnx");
        Assert.Equal(0, CommandRun.Of("optimize", Nano, "-o", optimized).ExitCode);

        CommandRun run = CommandRun.Of("inspect", optimized, "--nodes");

        string[] lines = run.Out.Split('\n');
        int table = Array.FindIndex(lines, l => l.Contains("share", StringComparison.Ordinal));
        Snapshot.Match(string.Join('\n', lines.Skip(table).Take(16)));
        JsonElement[] costs = [.. CommandRun.Of("inspect", optimized, "--format", "json").Json.GetProperty("nodeCosts").EnumerateArray()];
        Assert.Equal(costs.Length, lines.Skip(table + 1).Count(l => l.Length > 0));
        long[] macs = [.. costs.Select(c => c.GetProperty("macs").GetInt64())];
        Assert.Equal(macs.OrderDescending(), macs);
    }

    [Fact]
    public void Nodes_and_comparison_exclude_each_other()
    {
        CommandRun run = CommandRun.Of("inspect", Nano, "--nodes", "--compare", Nano);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--compare", run.ErrorLines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void The_other_model_must_be_there()
    {
        CommandRun run = CommandRun.Of("inspect", Nano, "--compare", _directory.File("none.onnx"));

        Assert.Equal(3, run.ExitCode);
        Assert.Empty(run.Out);
        Assert.Contains("none.onnx", run.ErrorLines[0], StringComparison.Ordinal);
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
