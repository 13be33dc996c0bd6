using System.Text.Json;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Tests.Reports;
using SamCompress.IR;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Pruning.Importance;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

public sealed class PruneCommandTests : IDisposable
{
    private static readonly string Folder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano");
    private static readonly string Nano = Path.Combine(Folder, "encoder.onnx");
    private static readonly string Decoder = Path.Combine(Folder, "decoder.onnx");
    private static readonly string Pictures = Path.Combine(SkeletonModels.RepositoryRoot, "calibration");
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("prune needs a ratio above 0")]
    [InlineData("prune needs a ratio above 0", "--ratio", "0")]
    [InlineData("a number from 0 to 0.95", "--ratio", "1")]
    [InlineData("use one of disturbed-taylor, taylor, hessian, magnitude, random", "--ratio", "0.1", "--importance", "size")]
    [InlineData("use one of local, global", "--ratio", "0.1", "--ranking", "each")]
    [InlineData("--seed is of no use with --importance magnitude", "--ratio", "0.1", "--seed", "3")]
    public void A_wrong_option_is_refused_before_anything_is_read(string answer, params string[] options)
    {
        CommandRun run = CommandRun.Of(["prune", "absent.onnx", "-o", _directory.File("out.onnx"), .. options]);

        Assert.Equal(2, run.ExitCode);
        Assert.Empty(run.Out);
        Assert.Contains(answer, run.ErrorLines[0], StringComparison.Ordinal);
    }

    /// <summary>Gradients of two pictures: which channels go depends on them.</summary>
    [Theory]
    [InlineData("disturbed-taylor")]
    [InlineData("taylor")]
    [InlineData("hessian")]
    public void Ranks_by_gradients(string importance)
    {
        string[] pictures = [.. Directory.GetFiles(Pictures, "*.jpg").Order(StringComparer.Ordinal).Take(4)];
        _directory.Write("pictures.txt", string.Join('\n', pictures));
        CommandRun run = CommandRun.Of(
            "prune", Nano, "-o", _directory.File("out.onnx"), "--ratio", "0.25", "--importance", importance, "--calibration-data", _directory.File("pictures.txt"), "--no-repair", "--format", "json", "-q");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(importance, run.Json.GetProperty("options").GetProperty("importance").GetString());
        Assert.InRange(run.Json.GetProperty("quality").GetProperty("meanIou").GetDouble(), 0.5, 0.999);
    }

    [Fact]
    public void Gradients_without_pictures_are_refused()
    {
        string copy = _directory.File("renamed.onnx");
        using (Model model = OnnxReader.Read(Nano))
        {
            model.SetMetadata("not", "the sample model");
            OnnxWriter.Save(model, copy);
        }

        CommandRun run = CommandRun.Of("prune", copy, "-o", _directory.File("out.onnx"), "--ratio", "0.1", "--importance", "hessian", "-q");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("importance 'hessian' takes pictures, and none are given", run.ErrorLines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_decoder_is_refused()
    {
        CommandRun run = CommandRun.Of("prune", Decoder, "-o", _directory.File("out.onnx"), "--ratio", "0.1", "-q");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("mask decoder", run.ErrorLines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void An_existing_report_is_refused_before_the_work()
    {
        _directory.Write("out.report.json", "old");

        Assert.Equal(5, CommandRun.Of("prune", Nano, "-o", _directory.File("out.onnx"), "--ratio", "0.1").ExitCode);
        Assert.Equal(["out.report.json"], _directory.Names);
    }

    [Fact]
    public void A_ratio_that_takes_nothing_is_exit_4()
    {
        CommandRun run = Prune("--conv-ratio", "0.5");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("no channel can go", run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void A_dry_run_says_what_would_go_and_writes_nothing()
    {
        CommandRun run = CommandRun.Of("prune", Nano, "-o", _directory.File("out.onnx"), "--ratio", "0.25", "--mlp-ratio", "0.5", "--round-to", "12", "--dry-run", "-q");

        Assert.Equal(0, run.ExitCode);
        Assert.Empty(_directory.Names);
        Snapshot.Match(run.Out);
    }

    [Fact]
    public void A_pruned_model_is_repaired_judged_and_quantized()
    {
        CommandRun run = Prune("--ratio", "0.05", "--calibration-data", Few(6), "--min-miou", "0.5", "--max-drop", "0.5");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal([true, true], run.Json.GetProperty("gates").EnumerateArray().Select(g => g.GetProperty("met").GetBoolean()));
        Assert.Equal(["out.onnx", "out.report.html", "out.report.json", "out.report.md", "pictures.txt"], _directory.Names);
        ReportSchemaTests.AssertValid("prune-report", File.ReadAllText(_directory.File("out.report.json")));
        JsonElement pruning = run.Json.GetProperty("pruning"), repair = pruning.GetProperty("repair");
        Assert.Equal(5, run.Json.GetProperty("pictures").GetProperty("fitted").GetInt32());
        Assert.Equal("/blocks.0/mlp/lin2/MatMul", repair.GetProperty("layers")[0].GetProperty("name").GetString());
        Assert.All(repair.GetProperty("layers").EnumerateArray(), l => Assert.True(l.GetProperty("errorAfter").GetDouble() <= l.GetProperty("errorBefore").GetDouble()));
        string which = repair.GetProperty("kept").GetBoolean() ? "meanIouWith" : "meanIouWithout";
        Assert.Equal(repair.GetProperty(which).GetDouble(), run.Json.GetProperty("quality").GetProperty("meanIou").GetDouble(), 3);
        Assert.True(pruning.GetProperty("parametersAfter").GetInt64() < pruning.GetProperty("parametersBefore").GetInt64());

        CommandRun quantized = CommandRun.Of(
            "quantize", _directory.File("out.onnx"), "-o", _directory.File("q/out.w8a8.onnx"), "--decoder", Decoder, "--calibration-data", Few(6), "--format", "json", "-q");
        Assert.Equal(0, quantized.ExitCode);
        Assert.True(quantized.Json.GetProperty("quality").GetProperty("meanIou").GetDouble() >= 0.9);
        Assert.Equal(0, CommandRun.Of("optimize", _directory.File("out.onnx"), "-o", _directory.File("o/out.onnx"), "-q").ExitCode);
    }

    [Fact]
    public void A_missed_gate_is_exit_1_and_the_reports_say_by_how_much()
    {
        string[] options = ["--ratio", "0.6", "--no-repair", "--calibration-data", Few(6), "--min-miou", "0.999", "--max-drop", "0.001", "--overwrite"];
        CommandRun run = Prune(options);

        Assert.Equal(1, run.ExitCode);
        double got = run.Json.GetProperty("quality").GetProperty("meanIou").GetDouble();
        JsonElement[] gates = [.. run.Json.GetProperty("gates").EnumerateArray()];
        Assert.Equal(["mean-iou", "max-drop"], gates.Select(g => g.GetProperty("name").GetString()));
        Assert.All(gates, g => Assert.Equal((false, 0.999, got), (g.GetProperty("met").GetBoolean(), Math.Round(g.GetProperty("wanted").GetDouble(), 6), g.GetProperty("got").GetDouble())));
        string report = File.ReadAllText(_directory.File("out.report.md"));
        Assert.Contains(FormattableString.Invariant($"**Gate mean-iou: missed**, wanted 0.9990, got {got:F4}."), report, StringComparison.Ordinal);
        Assert.Contains("| parameters | ", report, StringComparison.Ordinal);

        CommandRun text = CommandRun.Of(["prune", Nano, "-o", _directory.File("out.onnx"), "-q", .. options]);
        Assert.Contains(FormattableString.Invariant($"gate       mean-iou MISSED: {got:F4}, wanted 0.9990"), text.Out, StringComparison.Ordinal);
    }

    /// <summary>Without pictures; the same command gives the same bytes, another seed other ones.</summary>
    [Fact]
    public void Random_choice_depends_on_the_seed_only()
    {
        string model = _directory.Write("encoder.onnx", "");
        using (Model nano = OnnxReader.Read(Nano))
        {
            nano.SetMetadata("copy", "so that the shipped pictures are not taken");
            OnnxWriter.Save(nano, model);
        }

        CommandRun unmeasured = CommandRun.Of("prune", model, "-o", _directory.File("gate/out.onnx"), "--ratio", "0.5", "--min-miou", "0.5", "-q");
        Assert.Equal(1, unmeasured.ExitCode);
        Assert.Contains("gate       mean-iou MISSED: not measured, wanted 0.5000", unmeasured.Out, StringComparison.Ordinal);

        byte[][] outputs =
        [
            .. new[] { ("a", "1"), ("b", "1"), ("c", "2") }.Select(run =>
            {
                string output = _directory.File(run.Item1 + "/out.onnx");
                Assert.Equal(0, CommandRun.Of("prune", model, "-o", output, "--ratio", "0.5", "--embedding-ratio", "0.5", "--importance", "random", "--seed", run.Item2, "-q").ExitCode);
                return File.ReadAllBytes(output);
            }),
        ];

        Assert.Equal(outputs[0], outputs[1]);
        Assert.NotEqual(outputs[0], outputs[2]);
    }

    /// <summary>The seam for criteria that need gradients: a caller gives scores made from the model as it is pruned.</summary>
    [Fact]
    public void A_job_takes_an_importance_of_its_own()
    {
        var options = new PruneOptions { Model = Nano, Output = _directory.File("out.onnx"), Pruning = new PruningOptions { MlpRatio = 0.5 }, DryRun = true };
        string? seen = null;
        PruneReport report = new PruneJob(options, new NoProgress(), CancellationToken.None, model =>
        {
            seen = ChannelGroupFinder.Find(model).Groups[0].Name;
            return new MagnitudeImportance(isL1: true);
        }).Run();

        Assert.Equal("patch_embed.proj", seen);
        Assert.Equal("given", report.Options["importance"]);
        Assert.All(report.Pruning.Groups.Where(g => g.Kind == ChannelGroupKind.MlpHidden), g => Assert.Equal((768, 384), (g.Before, g.After)));
    }

    private sealed class NoProgress : IJobProgress
    {
        public void Stage(string name)
        {
        }

        public void Advance(int done, int total, string unit)
        {
        }

        public void Note(string text)
        {
        }
    }

    private CommandRun Prune(params string[] options) => CommandRun.Of(["prune", Nano, "-o", _directory.File("out.onnx"), "--format", "json", "-q", .. options]);

    /// <summary>A list of a few pictures; of five or more the last is held out.</summary>
    private string Few(int count) =>
        _directory.Write("pictures.txt", string.Join('\n', Directory.GetFiles(Pictures, "*.jpg").Order(StringComparer.Ordinal).Take(count)));
}
