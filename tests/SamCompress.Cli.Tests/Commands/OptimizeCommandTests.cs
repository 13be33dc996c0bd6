using SamCompress.IR;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

public sealed class OptimizeCommandTests : IDisposable
{
    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void It_writes_a_smaller_graph_and_says_so()
    {
        CommandRun run = CommandRun.Of("optimize", Nano, "-o", _directory.File("out.onnx"), "--format", "json");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(1615, run.Json.GetProperty("nodesBefore").GetInt32());
        Assert.InRange(run.Json.GetProperty("nodesAfter").GetInt32(), 100, 400);
        Assert.Equal(["out.onnx"], _directory.Names);
        Assert.Equal(0, CommandRun.Of("check", _directory.File("out.onnx")).ExitCode);
    }

    [Theory]
    [InlineData("ort-cpu", 24)] // 6 Gelu, 12 SkipLayerNormalization, 6 FusedMatMul
    [InlineData("qdq", 0)]
    public void The_target_decides_whether_there_are_contributed_operators(string target, int count)
    {
        Assert.Equal(0, CommandRun.Of("optimize", Nano, "-o", _directory.File("out.onnx"), "--target", target, "-q").ExitCode);

        using Model model = OnnxReader.Read(_directory.File("out.onnx"));
        Assert.Equal(count, model.Graph.Nodes.Count(n => n.Domain == OperatorDomain.Microsoft));
    }

    [Fact]
    public void An_unknown_target_is_a_usage_error() =>
        Assert.Equal(2, CommandRun.Of("optimize", Nano, "-o", _directory.File("out.onnx"), "--target", "abacus").ExitCode);

    [Fact]
    public void The_same_model_gives_the_same_bytes()
    {
        CommandRun.Of("optimize", Nano, "-o", _directory.File("a.onnx"), "-q");
        CommandRun.Of("optimize", Nano, "-o", _directory.File("sub/b.onnx"), "-q");

        Assert.Equal(File.ReadAllBytes(_directory.File("a.onnx")), File.ReadAllBytes(_directory.File("sub/b.onnx")));
    }

    [Fact]
    public void External_data_goes_to_a_file_beside_the_model()
    {
        CommandRun run = CommandRun.Of("optimize", Nano, "-o", _directory.File("out.onnx"), "--external-data", "always", "-q");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(["out.onnx", "out.onnx.data"], _directory.Names);
        Assert.Equal(0, CommandRun.Of("check", _directory.File("out.onnx")).ExitCode);
    }

    [Fact]
    public void Its_data_is_an_input_that_is_not_written_over()
    {
        CommandRun.Of("optimize", Nano, "-o", _directory.File("out.onnx"), "--external-data", "always", "-q");
        File.Move(_directory.File("out.onnx"), _directory.File("in.onnx"));

        CommandRun run = CommandRun.Of("optimize", _directory.File("in.onnx"), "-o", _directory.File("out.onnx"), "--overwrite", "-q");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("out.onnx.data", run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Equal(["in.onnx", "out.onnx.data"], _directory.Names);
    }

    [Fact]
    public void Without_an_output_it_is_a_usage_error() => Assert.Equal(2, CommandRun.Of("optimize", Nano).ExitCode);

    [Fact]
    public void An_existing_output_is_replaced_only_on_request()
    {
        _directory.Write("out.onnx", "old");

        Assert.Equal(5, CommandRun.Of("optimize", Nano, "-o", _directory.File("out.onnx"), "-q").ExitCode);
        Assert.Equal("old", File.ReadAllText(_directory.File("out.onnx")));
        Assert.Equal(0, CommandRun.Of("optimize", Nano, "-o", _directory.File("out.onnx"), "-q", "--overwrite").ExitCode);
        Assert.Equal(["out.onnx"], _directory.Names);
    }
}
