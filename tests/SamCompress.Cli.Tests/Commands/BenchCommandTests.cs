using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

public sealed class BenchCommandTests
{
    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");

    [Fact]
    public void Two_models_are_timed_and_compared()
    {
        CommandRun run = CommandRun.Of("bench", Nano, "--reference", Nano, "--rounds", "2", "--format", "json", "-q");

        Assert.Equal(0, run.ExitCode);
        double model = run.Json.GetProperty("model").GetProperty("milliseconds").GetDouble();
        double reference = run.Json.GetProperty("reference").GetProperty("milliseconds").GetDouble();
        Assert.True(model > 0);
        Assert.Equal(reference / model, run.Json.GetProperty("ratio").GetDouble(), 6);
    }

    [Fact]
    public void An_input_without_a_fixed_shape_is_asked_for()
    {
        CommandRun run = CommandRun.Of("bench", Path.Combine(Path.GetDirectoryName(Nano)!, "decoder.onnx"), "-q");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--input-shape point_coords", run.ErrorLines[1], StringComparison.Ordinal);
    }
}
