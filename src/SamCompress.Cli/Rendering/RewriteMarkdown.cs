using System.Text;
using SamCompress.Cli.Jobs;
using static SamCompress.Cli.Rendering.ReportMarkdown;

namespace SamCompress.Cli.Rendering;

/// <summary>The report of <c>rewrite</c> as Markdown, and the part about rewrites of every other.</summary>
internal static class RewriteMarkdown
{
    public static string Render(RewriteReport report)
    {
        var text = new StringBuilder();
        Line(text, $"# {Cell(report.Artifact?.File ?? report.Model.File)}");
        Line(text, "");
        BeforeAndAfter(text, report.Gates, report.Model, report.Artifact, report.Speed);
        Line(text, "");
        if (report.Quality is { } quality)
            Quality(text, quality);
        Section(text, report.Rewrite);
        Line(text, "## How it was made");
        Line(text, "");
        Line(text, $"- samcompress {report.ToolVersion}, ONNX Runtime {report.RuntimeVersion}");
        Line(text, $"- model `{Cell(report.Model.File)}`, SHA-256 `{report.Model.Sha256}`");
        if (report.Artifact is { } made)
            Line(text, $"- artifact `{Cell(made.File)}`, SHA-256 `{made.Sha256}`");
        if (report.Pictures is { } pictures)
            Line(text, $"- fitted to {pictures.Fitted} pictures of {Cell(pictures.Source)}{(pictures.Choosing > 0 ? $", blocks chosen by {pictures.Choosing} others" : "")}, set `{pictures.PictureSetHash}`");
        Line(text, $"- options: {Options(report.Options)}");
        Line(text, $"- time: {string.Join(", ", report.Stages.Select(s => $"{s.Name} {Quantity.Seconds(s.Seconds)}"))}; peak memory {Quantity.Bytes(report.PeakMemoryBytes)}");
        return text.ToString();
    }

    /// <summary>What one rewrite was of, how its blocks were chosen, and what the repair came to.</summary>
    public static void Section(StringBuilder text, ReportedRewrite rewrite)
    {
        Line(text, $"## Rewrite: {rewrite.What}");
        Line(text, "");
        Line(text, "| multiply-accumulates | before | after |");
        Line(text, "|---|---|---|");
        Line(text, $"| linear | {Quantity.Count(rewrite.MacsBefore.Linear)} | {Count(rewrite.MacsAfter?.Linear)} |");
        Line(text, $"| attention | {Quantity.Count(rewrite.MacsBefore.Attention)} | {Count(rewrite.MacsAfter?.Attention)} |");
        Line(text, $"| relative positions | {Quantity.Count(rewrite.MacsBefore.RelativePosition)} | {Count(rewrite.MacsAfter?.RelativePosition)} |");
        Line(text, "");
        Line(text, "| block | attention | tokens | heads | positions | became |");
        Line(text, "|---|---|---|---|---|---|");
        foreach (ReportedAttention a in rewrite.Attentions)
            Line(text, $"| {a.Number} | {Cell(a.Name)} | {a.Groups} x {a.Tokens} | {a.Heads} x {a.HeadSize} | {Cell(a.Position)} | {a.Became ?? "-"} |");
        Line(text, "");
        if (rewrite.Trials.Count > 0)
        {
            Line(text, "| blocks tried | mean mask IoU | good enough |");
            Line(text, "|---|---|---|");
            foreach (ReportedTrial trial in rewrite.Trials)
                Line(text, $"| {string.Join(", ", trial.Blocks)} | {Number(trial.MeanIou)} | {(trial.Kept ? "yes" : "no")} |");
            Line(text, "");
        }

        if (rewrite.Quality is { } quality)
            Line(text, $"After this step: mean mask IoU {Number(quality.MeanIou)}, SQNR of embeddings {Number(quality.EmbeddingSqnr, "F1")} dB. It took {Quantity.Seconds(rewrite.Seconds)}.\n");
        if (rewrite.Repair is not { } repair)
            return;
        Line(text, $"Repair: {RewriteText.Repair(repair)}. Errors are on pictures that the fit did not see, as a share of the variation of what the layer should give.");
        Line(text, "");
        Line(text, "| layer | error before | error after | kept |");
        Line(text, "|---|---|---|---|");
        foreach (RepairedLayer layer in repair.Layers)
            Line(text, $"| {Cell(layer.Name)} | {Number(layer.ErrorBefore)} | {Number(layer.ErrorAfter)} | {(layer.Kept ? "yes" : "no")}: {Cell(layer.Why)} |");
        Line(text, "");
    }

    private static void Quality(StringBuilder text, ReportedQuality quality)
    {
        Line(text, "## Quality against the FP32 model");
        Line(text, "");
        Line(text, $"{quality.Pictures} pictures, to none of which anything was fitted; {quality.Masks} masks. {Cell(quality.Note ?? "")}".TrimEnd());
        Line(text, "");
        Rows(text, quality, null);
    }

    private static string Count(long? value) => value is { } v ? Quantity.Count(v) : "-";
}
