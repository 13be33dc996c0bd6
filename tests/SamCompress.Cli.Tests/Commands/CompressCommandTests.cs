using System.Text.Json;
using SamCompress.Cli.Tests.Reports;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

public sealed class CompressCommandTests : IDisposable
{
    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Lightning_rewrites_repairs_and_quantizes_and_is_judged_by_the_model_that_came_first()
    {
        string[] pictures = [.. Directory.GetFiles(Path.Combine(SkeletonModels.RepositoryRoot, "calibration"), "*.jpg").Order(StringComparer.Ordinal).Take(5)];
        _directory.Write("pictures.txt", string.Join('\n', pictures));
        _directory.Write("held-out.txt", pictures[4]);
        CommandRun run = CommandRun.Of(
            "compress", Nano, "--recipe", "lightning", "-o", _directory.File("out/out.onnx"), "--calibration-data", _directory.File("pictures.txt"), "--format", "json", "-q");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(["out.onnx", "out.report.html", "out.report.json", "out.report.md"], Directory.GetFileSystemEntries(_directory.File("out")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        JsonElement report = run.Json, rewrite = Assert.Single(report.GetProperty("rewrites").EnumerateArray());
        Assert.Equal("lightning", report.GetProperty("options").GetProperty("recipe").GetString());
        Assert.Equal("encoder.onnx", report.GetProperty("model").GetProperty("file").GetString());
        Assert.Equal(new FileInfo(Nano).Length, report.GetProperty("model").GetProperty("bytes").GetInt64());
        Assert.Equal("dilated attention, interval 2", rewrite.GetProperty("what").GetString());
        Assert.NotEqual(JsonValueKind.Null, rewrite.GetProperty("repair").ValueKind);
        Assert.InRange(rewrite.GetProperty("quality").GetProperty("meanIou").GetDouble(), 0.8, 0.999);
        Assert.True(report.GetProperty("sizeRatio").GetDouble() < 0.32);

        CommandRun judged = CommandRun.Of("evaluate", _directory.File("out/out.onnx"), "--reference", Nano, "--data", _directory.File("held-out.txt"), "--format", "json", "-q");
        Assert.Equal(1, report.GetProperty("quality").GetProperty("pictures").GetInt32());
        Assert.Equal(judged.Json.GetProperty("meanIou").GetDouble(), report.GetProperty("quality").GetProperty("meanIou").GetDouble(), 6);
        Assert.Equal(judged.Json.GetProperty("embeddingSqnr").GetDouble(), report.GetProperty("quality").GetProperty("embeddingSqnr").GetDouble(), 3);
        ReportSchemaTests.AssertValid("compression-report", File.ReadAllText(_directory.File("out/out.report.json")));
        Assert.Contains("## Rewrite: dilated attention", File.ReadAllText(_directory.File("out/out.report.md")), StringComparison.Ordinal);
        Assert.Equal(0, CommandRun.Of("check", _directory.File("out/out.onnx")).ExitCode);
    }

    /// <summary>Two updates a phase: too few to be good, enough to run all of it.</summary>
    [Fact]
    public void A_recipe_slims_before_it_quantizes()
    {
        _directory.Write("slim.json", """
            {
              "name": "slim", "description": "a quarter in two turns, then int8",
              "slim": { "ratio": 0.25, "importance": "magnitude", "distillation": { "updates": 4 } },
              "quantize": { "precision": "w8a8" }
            }
            """);
        CommandRun run = CommandRun.Of("compress", Nano, "--recipe", _directory.File("slim.json"), "-o", _directory.File("out/out.onnx"), "--format", "json", "-q");

        Assert.Equal(0, run.ExitCode);
        JsonElement slimming = run.Json.GetProperty("slimming");
        JsonElement[] phases = [.. slimming.GetProperty("phases").EnumerateArray()];
        Assert.Equal(["embedding", "bottlenecks"], phases.Select(p => p.GetProperty("training").GetProperty("name").GetString()));
        JsonElement stream = Assert.Single(phases[0].GetProperty("groups").EnumerateArray());
        Assert.Equal((192, 144), (stream.GetProperty("size").GetInt32(), stream.GetProperty("kept").GetInt32()));
        Assert.Equal(12, phases[1].GetProperty("groups").GetArrayLength());
        Assert.True(slimming.GetProperty("parametersAfter").GetInt64() < 0.65 * slimming.GetProperty("parametersBefore").GetInt64());
        Assert.True(run.Json.GetProperty("sizeRatio").GetDouble() < 0.2);
        Assert.Equal(new FileInfo(Nano).Length, run.Json.GetProperty("model").GetProperty("bytes").GetInt64());
        Assert.Contains("## Slimming", File.ReadAllText(_directory.File("out/out.report.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_tells_the_attentions_and_the_plan_and_writes_nothing()
    {
        CommandRun run = CommandRun.Of("compress", Nano, "--recipe", "lightning", "-o", _directory.File("out.onnx"), "--dry-run", "-q");

        Assert.Equal(0, run.ExitCode);
        Snapshot.Match(run.Out);
        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void An_existing_output_is_refused_before_the_work()
    {
        _directory.Write("out.onnx", "old");

        Assert.Equal(5, CommandRun.Of("compress", Nano, "--recipe", "lightning", "-o", _directory.File("out.onnx")).ExitCode);
        Assert.Equal("old", File.ReadAllText(_directory.File("out.onnx")));
    }

    [Fact]
    public void A_recipe_that_is_not_there_is_answered_with_those_that_are()
    {
        CommandRun run = CommandRun.Of("compress", Nano, "--recipe", "thunder");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("no recipe 'thunder'", run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains("balanced, int8, lightning, linear, low-rank", run.ErrorLines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_recipe_is_exit_2_with_the_line()
    {
        string recipe = _directory.File("own.json");
        File.WriteAllText(recipe, "{\n  // mine\n  \"name\": \"own\",\n  \"description\": \"\",\n  \"colour\": 1,\n  \"quantize\": {}\n}\n");

        CommandRun run = CommandRun.Of("compress", Nano, "--recipe", recipe);

        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith($"{recipe}(5,", run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains("colour", run.ErrorLines[0], StringComparison.Ordinal);
    }
}
