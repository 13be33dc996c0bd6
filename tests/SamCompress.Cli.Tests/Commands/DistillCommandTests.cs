using System.Text.Json;
using SamCompress.Cli.Tests.Reports;
using SamCompress.IR;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

public sealed class DistillCommandTests : IDisposable
{
    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    private static readonly string Pictures = Path.Combine(SkeletonModels.RepositoryRoot, "calibration");
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
    public void Masks_are_learned_with_the_decoder_beside_the_teacher()
    {
        CommandRun run = Distill(Student(), "out.onnx", "--updates", "2", "--objective", "masks", "--prompts", "3", "--mask-weight", "0.5");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(("Masks", 3, 0.5), (run.Json.GetProperty("options").GetProperty("objective").GetString(), run.Json.GetProperty("options").GetProperty("prompts").GetInt32(), run.Json.GetProperty("options").GetProperty("maskWeight").GetDouble()));
        Assert.InRange(run.Json.GetProperty("quality").GetProperty("meanIou").GetDouble(), 0.5, 0.9999);
    }

    /// <summary>What is written is float again; its weights have moved, and quantize takes it.</summary>
    [Fact]
    public void A_student_learns_to_be_quantized()
    {
        const string precision = "w8a8";
        CommandRun run = Distill(Nano, "float.onnx", "--updates", "2", "--precision", precision, "--learning-rate", "1e-4");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(precision, run.Json.GetProperty("options").GetProperty("precision").GetString());
        Assert.True(run.Json.GetProperty("training").GetProperty("before").GetDouble() < 0.999);
        using (Model written = OnnxReader.Read(_directory.File("float.onnx")))
            Assert.DoesNotContain(written.Graph.Nodes, n => n.OpType.EndsWith("QuantizeLinear", StringComparison.Ordinal));

        CommandRun quantized = CommandRun.Of(
            "quantize", _directory.File("float.onnx"), "-o", _directory.File("q.onnx"), "--precision", precision, "--calibration-data", Pictures, "--decoder", Path.Combine(Path.GetDirectoryName(Nano)!, "decoder.onnx"), "--format", "json", "-q");
        Assert.Equal(0, quantized.ExitCode);
        Assert.InRange(quantized.Json.GetProperty("quality").GetProperty("meanIou").GetDouble(), 0.9, 1);
    }

    /// <summary>Blocks before the first rewritten attention stay as they are to the bit.</summary>
    [Fact]
    public void What_a_rewrite_left_as_it_was_is_not_trained()
    {
        // Without a decoder the embeddings are the score, and of linear attention without repair every update makes them better.
        File.Copy(Nano, _directory.File("teacher.onnx"));
        Assert.Equal(0, CommandRun.Of("rewrite", _directory.File("teacher.onnx"), "-o", _directory.File("linear.onnx"), "--linear-attention", "--local-kernel", "3", "--blocks", "5", "--no-repair", "--calibration-data", Pictures, "-q").ExitCode);

        CommandRun run = CommandRun.Of(
            "distill", _directory.File("linear.onnx"), "--teacher", _directory.File("teacher.onnx"), "-o", _directory.File("out.onnx"), "--updates", "2", "--learning-rate", "1e-4", "--calibration-data", Pictures, "--format", "json", "-q");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("changed", run.Json.GetProperty("options").GetProperty("train").GetString());
        Assert.InRange(run.Json.GetProperty("frozenParameters").GetInt64(), 2_400_000, 2_500_000);
        using Model before = OnnxReader.Read(_directory.File("linear.onnx")), after = OnnxReader.Read(_directory.File("out.onnx"));
        Assert.Equal(Weight(before, "blocks.0.attn.qkv.bias"), Weight(after, "blocks.0.attn.qkv.bias"));
        Assert.NotEqual(Weight(before, "blocks.5.attn.qkv.bias"), Weight(after, "blocks.5.attn.qkv.bias"));

        static float[] Weight(Model model, string name) => model.Graph.Initializers.Single(i => i.Name == name).Initializer!.ToArray<float>();
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
    [InlineData("use one of embedding, embedding-l1, layers, masks", "--teacher", "t.onnx", "--objective", "tokens")]
    [InlineData("use one of changed, all", "--teacher", "t.onnx", "--train", "some")]
    [InlineData("--target needs --precision", "--teacher", "t.onnx", "--target", "qdq")]
    [InlineData("--prompts needs --objective masks", "--teacher", "t.onnx", "--prompts", "4")]
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
