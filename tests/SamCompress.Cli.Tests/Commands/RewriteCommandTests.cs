using System.Globalization;
using System.Text.Json;
using SamCompress.Cli.Tests.Reports;
using SamCompress.IR;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

public sealed class RewriteCommandTests : IDisposable
{
    private static readonly string Folder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano");
    private static readonly string Nano = Path.Combine(Folder, "encoder.onnx");
    private static readonly string Decoder = Path.Combine(Folder, "decoder.onnx");
    private static readonly string Pictures = Path.Combine(SkeletonModels.RepositoryRoot, "calibration");
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("needs one of --dilated-attention N, --linear-attention and --low-rank-position")]
    [InlineData("needs one of", "--linear-attention", "--low-rank-position")]
    [InlineData("a whole number from 2 to 64", "--dilated-attention", "1")]
    [InlineData("--segment needs --dilated-attention", "--linear-attention", "--segment", "64")]
    [InlineData("--multi-scale needs --linear-attention", "--dilated-attention", "2", "--multi-scale")]
    [InlineData("--axes needs --dilated-attention", "--linear-attention", "--axes", "rows")]
    [InlineData("--segment and --axes exclude each other", "--dilated-attention", "2", "--segment", "64", "--axes", "rows")]
    [InlineData("use one of both, rows, columns", "--dilated-attention", "2", "--axes", "all")]
    [InlineData("--local-kernel needs --dilated-attention or --linear-attention", "--low-rank-position", "--local-kernel", "3")]
    [InlineData("use an odd number", "--linear-attention", "--local-kernel", "4")]
    [InlineData("need --low-rank-position", "--linear-attention", "--position-rank", "8")]
    [InlineData("exclude each other", "--low-rank-position", "--position-rank", "8", "--position-error", "0.1")]
    [InlineData("use numbers such as 2,5, global, or auto", "--linear-attention", "--blocks", "2,-5")]
    [InlineData("use numbers such as 2,5, global, or auto", "--linear-attention", "--blocks", "all")]
    [InlineData("--blocks auto needs --min-miou or --max-drop", "--linear-attention", "--blocks", "auto")]
    public void A_wrong_option_is_refused_before_anything_is_read(string answer, params string[] options)
    {
        CommandRun run = CommandRun.Of(["rewrite", "absent.onnx", "-o", _directory.File("out.onnx"), .. options]);

        Assert.Equal(2, run.ExitCode);
        Assert.Empty(run.Out);
        Assert.Contains(answer, run.ErrorLines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no attention number 6: there are 6", "--linear-attention", "--blocks", "2,6")]
    [InlineData("attention 0", "--linear-attention", "--blocks", "0")]
    [InlineData("an interval of 3 does not divide", "--dilated-attention", "3")]
    public void An_attention_that_is_not_there_or_does_not_fit_is_exit_4(string answer, params string[] options)
    {
        CommandRun run = CommandRun.Of(["rewrite", Nano, "-o", _directory.File("out.onnx"), "-q", "--no-repair", .. options]);

        Assert.Equal(4, run.ExitCode);
        Assert.Contains(answer, run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void An_existing_output_is_refused_before_the_work()
    {
        _directory.Write("out.report.md", "old");

        Assert.Equal(5, CommandRun.Of("rewrite", Nano, "-o", _directory.File("out.onnx"), "--linear-attention").ExitCode);
        Assert.Equal(["out.report.md"], _directory.Names);
    }

    [Fact]
    public void Three_pictures_are_too_few_to_be_judged_by_others()
    {
        CommandRun run = Rewrite("--linear-attention", "--samples", "3", "--calibration-data", Few(3));

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("a rewrite needs 4 or more", run.ErrorLines[0], StringComparison.Ordinal);
    }

    /// <summary>By hand: each of both attentions has 2 x 256 x 256 x 192 products, and the kernels 2 x 9 for each of 192 channels of 256 tokens.</summary>
    [Theory]
    [InlineData("dilated attention, interval 2", 4, 0)]
    [InlineData("dilated attention, interval 2 of rows", 2, 0, "--axes", "rows")]
    [InlineData("dilated attention, interval 2 of rows, neighbours mixed by 3 x 3", 2, 2 * 2 * 9 * 192 * 256, "--axes", "rows", "--local-kernel", "3")]
    public void A_dry_run_says_which_attentions_and_what_is_saved_and_writes_nothing(string what, int part, long added, params string[] options)
    {
        CommandRun run = CommandRun.Of(["rewrite", Nano, "-o", _directory.File("out.onnx"), "--dilated-attention", "2", "--dry-run", "--format", "json", "-q", .. options]);

        Assert.Equal(0, run.ExitCode);
        JsonElement rewrite = run.Json.GetProperty("rewrite"), before = rewrite.GetProperty("macsBefore"), after = rewrite.GetProperty("macsAfter");
        const long products = 2 * 2 * 256 * 256 * 192;
        Assert.Equal([2, 5], Numbers(rewrite));
        Assert.Equal(what, rewrite.GetProperty("what").GetString());
        Assert.Equal(before.GetProperty("attention").GetInt64() - products + (products / part), after.GetProperty("attention").GetInt64());
        Assert.Equal(before.GetProperty("linear").GetInt64() + added, after.GetProperty("linear").GetInt64());
        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void Dilated_attention_is_repaired_on_pictures_that_do_not_judge_it_and_quantize_reads_it()
    {
        CommandRun run = Rewrite("--dilated-attention", "2", "--blocks", "5", "--calibration-data", Few(6), "--min-miou", "0.5");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(["out.onnx", "out.report.html", "out.report.json", "out.report.md", "pictures.txt"], _directory.Names);
        ReportSchemaTests.AssertValid("rewrite-report", File.ReadAllText(_directory.File("out.report.json")));
        JsonElement report = run.Json, repair = report.GetProperty("rewrite").GetProperty("repair");
        Assert.Equal(5, report.GetProperty("pictures").GetProperty("fitted").GetInt32());
        Assert.True(report.GetProperty("quality").GetProperty("heldOut").GetBoolean());
        Assert.Equal(1, report.GetProperty("quality").GetProperty("pictures").GetInt32());
        Assert.Equal("/blocks.5/attn/proj/MatMul", repair.GetProperty("layers")[0].GetProperty("name").GetString());
        Assert.All(repair.GetProperty("layers").EnumerateArray(), l => Assert.True(l.GetProperty("errorAfter").GetDouble() <= l.GetProperty("errorBefore").GetDouble()));
        string which = repair.GetProperty("kept").GetBoolean() ? "meanIouWith" : "meanIouWithout";
        Assert.Equal(repair.GetProperty(which).GetDouble(), report.GetProperty("quality").GetProperty("meanIou").GetDouble(), 3);
        using (Model model = OnnxReader.Read(_directory.File("out.onnx")))
            Assert.StartsWith("dilated attention, interval 2, blocks 5", model.Metadata.Single(m => m.Key == "dev.samcompress.rewrites").Value, StringComparison.Ordinal);

        CommandRun quantized = CommandRun.Of(
            "quantize", _directory.File("out.onnx"), "-o", _directory.File("q/out.w8a8.onnx"), "--decoder", Decoder, "--calibration-data", Few(6), "--format", "json", "-q");
        Assert.Equal(0, quantized.ExitCode);
        Assert.True(quantized.Json.GetProperty("quality").GetProperty("meanIou").GetDouble() >= 0.95);
    }

    [Fact]
    public void A_missed_gate_is_exit_1_and_the_artifact_is_there()
    {
        CommandRun run = Rewrite("--linear-attention", "--blocks", "2,5", "--no-repair", "--calibration-data", Few(5), "--min-miou", "0.999");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("out.onnx", _directory.Names);
        Assert.False(run.Json.GetProperty("gatesMet").GetBoolean());
        Assert.Equal(JsonValueKind.Null, run.Json.GetProperty("rewrite").GetProperty("repair").ValueKind);
    }

    [Fact]
    public void Low_rank_positions_say_their_rank_and_one_that_needs_all_directions_is_left_alone()
    {
        CommandRun run = Rewrite("--low-rank-position", "--position-rank", "8", "--no-repair", "--calibration-data", Few(5));
        CommandRun none = CommandRun.Of(
            "rewrite", Nano, "-o", _directory.File("none.onnx"), "--low-rank-position", "--position-rank", "32", "--no-repair", "--calibration-data", Few(5), "-q");

        Assert.Equal(0, run.ExitCode);
        Assert.All(run.Json.GetProperty("rewrite").GetProperty("attentions").EnumerateArray(), a => Assert.Equal("rank 8 of 16x16", a.GetProperty("became").GetString()));
        Assert.Equal(1, none.ExitCode);
        Assert.Contains("blocks-rewritten MISSED", none.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("none.onnx", _directory.Names);
    }

    [Fact]
    public void Blocks_are_chosen_by_damage_until_the_gate_stops()
    {
        CommandRun all = Rewrite("--linear-attention", "--no-repair", "--calibration-data", Few(10), "--blocks", "auto", "--min-miou", "0", "--overwrite");
        JsonElement[] trials = [.. all.Json.GetProperty("rewrite").GetProperty("trials").EnumerateArray()];
        Assert.Equal(["2", "5", "2,5"], trials.Select(t => string.Join(',', t.GetProperty("blocks").EnumerateArray())));
        Assert.Equal([2, 5], Numbers(all.Json.GetProperty("rewrite")));
        double[] alone = [.. trials.Take(2).Select(t => t.GetProperty("meanIou").GetDouble())];

        CommandRun one = Rewrite("--linear-attention", "--no-repair", "--calibration-data", Few(10), "--blocks", "auto", "--max-drop", Text(1 - alone.Average()), "--overwrite");
        Assert.Equal([alone[0] > alone[1] ? 2 : 5], Numbers(one.Json.GetProperty("rewrite")));
        Assert.Equal([true, false], one.Json.GetProperty("rewrite").GetProperty("trials").EnumerateArray().Select(t => t.GetProperty("kept").GetBoolean()).OrderDescending());
        Assert.Equal(2, one.Json.GetProperty("pictures").GetProperty("choosing").GetInt32());

        CommandRun none = CommandRun.Of(
            "rewrite", Nano, "-o", _directory.File("none.onnx"), "--linear-attention", "--no-repair", "--calibration-data", Few(10), "--blocks", "auto", "--min-miou", Text((alone.Max() + 1) / 2), "-q");
        Assert.Equal(1, none.ExitCode);
        Assert.DoesNotContain("none.onnx", _directory.Names);
    }

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private CommandRun Rewrite(params string[] options) =>
        CommandRun.Of(["rewrite", Nano, "-o", _directory.File("out.onnx"), "--format", "json", "-q", .. options]);

    /// <summary>A list of a few pictures; of five or more the last is held out.</summary>
    private string Few(int count) =>
        _directory.Write("pictures.txt", string.Join('\n', Directory.GetFiles(Pictures, "*.jpg").Order(StringComparer.Ordinal).Take(count)));

    private static int[] Numbers(JsonElement rewrite) => [.. rewrite.GetProperty("attentions").EnumerateArray().Select(a => a.GetProperty("number").GetInt32())];
}
