using System.Text;
using SamCompress.Cli.Jobs;
using static SamCompress.Cli.Rendering.ReportMarkdown;

namespace SamCompress.Cli.Rendering;

/// <summary>The report of <c>rewrite</c> as Markdown, and the part about rewrites of every other.</summary>
internal static class RewriteMarkdown
{
    public static string Render(RewriteReport report) => ModelMarkdown.Render(report, ModelMarkdown.Pictures(report.Pictures), text => Section(text, report.Rewrite));

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
        ModelMarkdown.Repair(text, rewrite.Repair);
    }

    private static string Count(long? value) => value is { } v ? Quantity.Count(v) : "-";
}
