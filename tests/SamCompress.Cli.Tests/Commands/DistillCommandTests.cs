using System.Text.Json;
using SamCompress.Cli.Tests.Reports;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

public sealed class DistillCommandTests : IDisposable
{
    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_pruned_encoder_learns_and_goes_on_from_its_state()
    {
        string student = Student(), state = _directory.File("state");
        CommandRun run = Distill(student, "first.onnx", "--updates", "3", "--state", state);
        Assert.Equal(0, run.ExitCode);
        JsonElement training = run.Json.GetProperty("training"), quality = run.Json.GetProperty("quality");
        Assert.Equal(JsonValueKind.Number, training.GetProperty("before").ValueKind);
        Assert.Equal([1L, 2, 3], training.GetProperty("losses").EnumerateArray().Select(l => l.GetProperty("update").GetInt64()));
        Assert.InRange(quality.GetProperty("meanIou").GetDouble(), 0.5, 0.9999);
        Assert.Equal(
            ["first.onnx", "first.report.html", "first.report.json", "first.report.md"], run.Json.GetProperty("files").EnumerateArray().Select(f => Path.GetFileName(f.GetString())));
        ReportSchemaTests.AssertValid("distill-report", File.ReadAllText(_directory.File("first.report.json")));
        Assert.Equal(0, CommandRun.Of("check", _directory.File("first.onnx")).ExitCode);

        // Nothing is left to do: the same weights come out of the state.
        Assert.Equal(0, Distill(student, "second.onnx", "--updates", "3", "--state", state).ExitCode);
        Assert.Equal(File.ReadAllBytes(_directory.File("first.onnx")), File.ReadAllBytes(_directory.File("second.onnx")));

        CommandRun other = Distill(student, "third.onnx", "--updates", "3", "--state", state, "--seed", "1");
        Assert.Equal(3, other.ExitCode);
        Assert.Contains("the checkpoint is of another model, other pictures or other options", other.ErrorLines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_of_another_width_cannot_be_learned()
    {
        CommandRun pruned = CommandRun.Of("prune", Nano, "-o", _directory.File("narrow.onnx"), "--embedding-ratio", "0.5", "--no-repair", "-q");
        Assert.Equal(0, pruned.ExitCode);

        CommandRun run = Distill(_directory.File("narrow.onnx"), "out.onnx", "--objective", "layers");
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("student and teacher have no layers of one name and shape", run.ErrorLines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--teacher", "--updates", "3")]
    [InlineData("use a whole number from 1", "--teacher", "t.onnx", "--updates", "0")]
    [InlineData("use one of embedding, embedding-l1, layers", "--teacher", "t.onnx", "--objective", "masks")]
    public void A_wrong_option_is_refused_before_anything_is_read(string answer, params string[] options)
    {
        CommandRun run = CommandRun.Of(["distill", "absent.onnx", "-o", _directory.File("out.onnx"), .. options]);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(answer, run.ErrorLines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void The_teacher_is_not_written_over()
    {
        File.Copy(Nano, _directory.File("teacher.onnx"));
        CommandRun run = CommandRun.Of("distill", Nano, "--teacher", _directory.File("teacher.onnx"), "-o", _directory.File("teacher.onnx"), "--overwrite");

        Assert.Equal(2, run.ExitCode);
        Assert.Equal(new FileInfo(Nano).Length, new FileInfo(_directory.File("teacher.onnx")).Length);
    }

    private string Student()
    {
        string student = _directory.File("student.onnx");
        Assert.Equal(0, CommandRun.Of("prune", Nano, "-o", student, "--ratio", "0.25", "--no-repair", "-q").ExitCode);
        return student;
    }

    private CommandRun Distill(string student, string output, params string[] options) => CommandRun.Of(
        ["distill", student, "--teacher", Nano, "-o", _directory.File(output), "--format", "json", "-q", .. options]);
}
