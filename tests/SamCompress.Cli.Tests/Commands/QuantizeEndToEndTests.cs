using System.Text.Json;
using SamCompress.Cli.Tests.Reports;

namespace SamCompress.Cli.Tests.Commands;

/// <summary>The quick start: one run on the sample model, and what it leaves.</summary>
[Collection(QuickStart.Collection)]
public sealed class QuantizeEndToEndTests(QuickStart quickStart)
{
    [Fact]
    public void The_result_is_told_in_under_ten_lines()
    {
        string[] lines = quickStart.Run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(0, quickStart.Run.ExitCode);
        Assert.InRange(lines.Length, 4, 9);
        Assert.StartsWith("quantized  26 of 26 Linear, 1 of 1 Conv to int8, mse on 32 pictures", lines[0], StringComparison.Ordinal);
        Assert.Contains("ratio 0.2", lines[1], StringComparison.Ordinal);
        Assert.Contains("mean IoU 0.9", lines[2], StringComparison.Ordinal);
        Assert.Contains("8 held-out pictures", lines[2], StringComparison.Ordinal);
        Assert.Contains("times as fast", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public void The_artifact_and_its_reports_are_all_that_is_left() =>
        Assert.Equal(["encoder.w8a8.onnx", "encoder.w8a8.report.html", "encoder.w8a8.report.json", "encoder.w8a8.report.md"], quickStart.Directory.Names);

    [Fact]
    public void The_masks_are_kept_and_the_size_is_not()
    {
        JsonElement report = quickStart.Report;

        Assert.True(report.GetProperty("quality").GetProperty("meanIou").GetDouble() >= 0.95);
        Assert.True(report.GetProperty("sizeRatio").GetDouble() <= 0.32);
    }

    [Fact]
    public void Every_layer_runs_as_integers() =>
        Assert.All(quickStart.Report.GetProperty("layers").EnumerateArray(), layer => Assert.True(layer.GetProperty("integerKernel").GetBoolean()));

    [Fact]
    public void The_reports_name_no_folder() => Assert.All(
        quickStart.Directory.Names.Where(n => n.Contains(".report.", StringComparison.Ordinal)),
        name => Assert.DoesNotContain(quickStart.Directory.Path, File.ReadAllText(quickStart.Directory.File(name)), StringComparison.Ordinal));

    [Fact]
    public void The_report_keeps_to_its_schema() => ReportSchemaTests.AssertValid("compression-report", File.ReadAllText(quickStart.Directory.File("encoder.w8a8.report.json")));

    [Fact]
    public void The_error_of_every_layer_is_measured_on_a_picture_that_was_held_out()
    {
        JsonElement report = quickStart.Report;

        Assert.True(report.GetProperty("layerErrors").GetProperty("heldOut").GetBoolean());
        Assert.All(report.GetProperty("layers").EnumerateArray(), layer => Assert.InRange(layer.GetProperty("sqnr").GetDouble(), 20, 80));
    }

    [Fact]
    public void Every_held_out_picture_is_told_and_the_worst_are_shown()
    {
        double[] ious = [.. quickStart.Report.GetProperty("quality").GetProperty("perPicture").EnumerateArray().Select(p => p.GetProperty("meanIou").GetDouble())];

        Assert.Equal(8, ious.Length);
        Assert.Equal(quickStart.Report.GetProperty("quality").GetProperty("meanIou").GetDouble(), ious.Average(), 9);
        string page = File.ReadAllText(quickStart.Directory.File("encoder.w8a8.report.html"));
        Assert.All(ious.Order().Take(4), iou => Assert.Contains(FormattableString.Invariant($"<span>mean IoU {iou:F4},"), page, StringComparison.Ordinal));
    }

    [Fact]
    public void A_run_takes_less_memory_by_the_graph() => Assert.True(
        quickStart.Report.GetProperty("artifact").GetProperty("memoryBytes").GetInt64() < quickStart.Report.GetProperty("model").GetProperty("memoryBytes").GetInt64());

    [Fact]
    public void The_artifact_keeps_to_the_format() => Assert.Equal(0, CommandRun.Of("check", quickStart.Artifact).ExitCode);

    [Fact]
    public void A_second_run_is_refused()
    {
        CommandRun run = CommandRun.Of("quantize", QuickStart.Nano, "-o", quickStart.Artifact);

        Assert.Equal(5, run.ExitCode);
        Assert.Contains("--overwrite", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_quantized_model_is_not_quantized_again()
    {
        CommandRun run = CommandRun.Of("quantize", quickStart.Artifact, "-o", quickStart.Directory.File("again/encoder.onnx"), "--calibration-data", QuickStart.Pictures, "-q");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("--allow-requantize", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluation_has_the_names_that_pipelines_rely_on()
    {
        CommandRun run = CommandRun.Of("evaluate", quickStart.Artifact, "--reference", QuickStart.Nano, "--data", QuickStart.Pictures, "--samples", "1", "--format", "json", "-q");

        Assert.Equal(0, run.ExitCode);
        Assert.InRange(run.Json.GetProperty("meanIou").GetDouble(), 0.8, 1);
        Assert.InRange(run.Json.GetProperty("p5Iou").GetDouble(), 0.5, 1);
        Assert.InRange(run.Json.GetProperty("embeddingCosine").GetDouble(), 0.99, 1);
        ReportSchemaTests.AssertValid("evaluate-report", run.Out);
    }

    [Fact]
    public void A_gate_that_is_missed_is_exit_1()
    {
        CommandRun run = CommandRun.Of("evaluate", quickStart.Artifact, "--reference", QuickStart.Nano, "--data", QuickStart.Pictures, "--samples", "1", "--min-miou", "1", "-q");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("mean-iou MISSED", run.Out, StringComparison.Ordinal);
        Assert.Empty(run.Error);
    }

    [Fact]
    public void A_model_agrees_with_itself()
    {
        CommandRun run = CommandRun.Of("evaluate", QuickStart.Nano, "--reference", QuickStart.Nano, "--data", QuickStart.Pictures, "--samples", "1", "--format", "json", "-q");

        Assert.Equal(1, run.Json.GetProperty("meanIou").GetDouble());
        Assert.Equal(JsonValueKind.Null, run.Json.GetProperty("embeddingSqnr").ValueKind);
    }
}
