using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>A rewrite of attention.</summary>
internal static class RewriteSection
{
    public static void Write(HtmlText html, ReportedRewrite rewrite)
    {
        html.Line($"<section><h2>Rewrite: {rewrite.What}</h2>");
        if (rewrite.Quality is { } quality)
            html.Line($"<p>After this step: mean mask IoU {Tables.Text(quality.MeanIou)}, SQNR of embeddings {Tables.Text(quality.EmbeddingSqnr, "F1")} dB. It took {Quantity.Seconds(rewrite.Seconds)}.</p>");
        Tables.Macs(html, rewrite.MacsBefore, rewrite.MacsAfter);
        Tables.Open(html, "Attentions that were rewritten", "#block", "attention", "#tokens", "#heads", "positions", "became");
        foreach (ReportedAttention a in rewrite.Attentions)
        {
            html.Line($"""
                <tr><td{Tables.Number}>{a.Number}</td><th scope="row"><code>{a.Name}</code></th><td{Tables.Number}>{a.Groups} × {a.Tokens}</td><td{Tables.Number}>{a.Heads} × {a.HeadSize}</td><td>{a.Position}</td><td>{a.Became ?? "–"}</td></tr>
                """);
        }

        Tables.Close(html);
        Trials(html, rewrite);
        Tables.Repair(html, rewrite.Repair);
        html.Line($"</section>");
    }

    private static void Trials(HtmlText html, ReportedRewrite rewrite)
    {
        if (rewrite.Trials.Count == 0)
            return;
        Tables.Open(html, "How blocks were chosen", "blocks tried", "#mean mask IoU", "", "good enough");
        foreach (ReportedTrial trial in rewrite.Trials)
            html.Line($"""<tr><th scope="row">{string.Join(", ", trial.Blocks)}</th><td{Tables.Number}>{trial.MeanIou:F4}</td><td class="wide">{Tables.Bar(trial.MeanIou, trial.Kept ? "after" : "before")}</td><td>{(trial.Kept ? "yes" : "no")}</td></tr>""");
        Tables.Close(html);
    }
}
