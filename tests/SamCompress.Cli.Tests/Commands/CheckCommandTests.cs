using SamCompress.IR;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

public sealed class CheckCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_sound_model_has_no_problems()
    {
        CommandRun run = CommandRun.Of("check", Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx"));

        Assert.Equal(0, run.ExitCode);
        Assert.EndsWith(": no problems\n", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_problem_is_listed_and_the_exit_code_is_1()
    {
        string path = Save("""
            agraph (float[2] x) => (float[2] y) {
                a = Relu<alpha = 1.0>(x)
                y = NoSuchOperator(a)
            }
            """);

        CommandRun run = CommandRun.Of("check", path, "--format", "json");

        Assert.Equal(1, run.ExitCode);
        Assert.False(run.Json.GetProperty("ok").GetBoolean());
        Assert.Equal(2, run.Json.GetProperty("errors").GetInt32());
        Assert.Equal(2, run.Json.GetProperty("findings").GetArrayLength());
    }

    [Fact]
    public void Findings_are_lines_that_build_tools_understand()
    {
        string path = Save("agraph (float[2] x) => (float[2] y) { y = NoSuchOperator(x) }");

        CommandRun run = CommandRun.Of("check", path);

        Assert.Equal(1, run.ExitCode);
        Assert.Matches(@"m\.onnx\(.*\): error SC\d{4}: .*NoSuchOperator", run.Out.Split('\n')[0]);
    }

    [Fact]
    public void A_file_that_is_no_model_is_an_error_and_no_finding() =>
        Assert.Equal(3, CommandRun.Of("check", _directory.Write("m.onnx", "nonsense")).ExitCode);

    private string Save(string text)
    {
        using Model model = ModelText.Parse(text);
        OnnxWriter.Save(model, _directory.File("m.onnx"));
        return _directory.File("m.onnx");
    }
}
