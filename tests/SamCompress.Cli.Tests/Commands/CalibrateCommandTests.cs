using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

public sealed class CalibrateCommandTests : IDisposable
{
    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void The_artifact_is_rebuilt_bit_for_bit_from_the_statistics()
    {
        CommandRun calibrate = CommandRun.Of("calibrate", Nano, "-o", _directory.File("s.json"), "--samples", "2", "--format", "json", "-q");
        Assert.Equal(0, calibrate.ExitCode);
        Assert.Equal(2, calibrate.Json.GetProperty("pictures").GetInt32());

        foreach (string name in new[] { "a.onnx", "b.onnx" })
        {
            CommandRun run = CommandRun.Of(
                "quantize", Nano, "-o", _directory.File(name), "--samples", "2", "--calibration-cache", _directory.File("s.json"), "--threads", name == "a.onnx" ? "1" : "2", "-q", "--format", "json");
            Assert.Equal(0, run.ExitCode);
            Assert.True(run.Json.GetProperty("calibration").GetProperty("fromCache").GetBoolean());
        }

        Assert.Equal(File.ReadAllBytes(_directory.File("a.onnx")), File.ReadAllBytes(_directory.File("b.onnx")));
    }

    [Fact]
    public void Statistics_of_another_model_are_refused()
    {
        CommandRun.Of("calibrate", Nano, "-o", _directory.File("s.json"), "--samples", "1", "-q");
        File.WriteAllText(_directory.File("s.json"), File.ReadAllText(_directory.File("s.json")).Replace("\"modelHash\":\"ca30", "\"modelHash\":\"0000", StringComparison.Ordinal));

        CommandRun run = CommandRun.Of("quantize", Nano, "-o", _directory.File("a.onnx"), "--calibration-cache", _directory.File("s.json"), "-q");

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("another model", run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Equal(["s.json"], _directory.Names);
    }

    [Fact]
    public void Truncated_statistics_are_refused()
    {
        _directory.Write("s.json", "{\"format\":\"samcompress-calibration\",");

        Assert.Equal(3, CommandRun.Of("quantize", Nano, "-o", _directory.File("a.onnx"), "--calibration-cache", _directory.File("s.json"), "-q").ExitCode);
    }
}
