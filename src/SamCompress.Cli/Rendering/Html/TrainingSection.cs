using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>How a student learned: the loss as a line, and what it came to.</summary>
internal static class TrainingSection
{
    public static void Write(HtmlText html, ReportedTraining training)
    {
        html.Line($"<section><h2>Training</h2>");
        Body(html, training);
        html.Line($"</section>");
    }

    public static void Write(HtmlText html, ReportedSlimming slimming)
    {
        html.Line($"<section><h2>Slimming: {SlimmingText.Title(slimming.Step)}</h2><p>{Quantity.Count(slimming.ParametersBefore)} parameters became {Quantity.Count(slimming.ParametersAfter)}.</p>");
        Tables.Macs(html, slimming.MacsBefore, slimming.MacsAfter);
        foreach (ReportedSlimmingPhase phase in slimming.Phases)
        {
            html.Line($"<h3>Phase: {phase.Training.Name}</h3>");
            Body(html, phase.Training);
            html.Line($"<details><summary>{phase.Groups.Count} groups of channels were pruned before</summary>");
            Tables.Open(html, $"Groups pruned in {phase.Training.Name}", "group", "kind", "#channels", "#kept", "");
            foreach (PrunedGroup group in phase.Groups)
                html.Line($"""<tr><th scope="row"><code>{group.Name}</code></th><td>{group.Kind}</td><td{Tables.Number}>{group.Size}</td><td{Tables.Number}>{group.Kept}</td><td class="wide">{Tables.Bar((double)group.Kept / group.Size)}</td></tr>""");
            Tables.Close(html);
            html.Line($"</details>");
        }

        html.Line($"</section>");
    }

    private static void Body(HtmlText html, ReportedTraining training)
    {
        string words = DistillRenderer.Training(training);
        html.Line($"<p>Learned {words}. It took {Quantity.Seconds(training.Seconds)}.</p>");
        ReportedLoss[] losses = [.. training.Losses.Where(l => l.Loss > 0 && double.IsFinite(l.Loss))];
        if (losses.Length < 2)
            return;
        double high = Math.Log(losses.Max(l => l.Loss)), low = Math.Log(losses.Min(l => l.Loss)), last = losses[^1].Update;
        html.Line($"""
            <figure class="chart">
            <div class="plot"><span class="most">{Math.Exp(high):G3}</span><span class="least">{Math.Exp(low):G3}</span>
            <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="Loss over {last} updates, on a logarithmic scale: from {losses[0].Loss:G3} to {losses[^1].Loss:G3}">
            <path class="grid" d="M0 25H100M0 50H100M0 75H100"/><polyline class="line" points="{new Markup(string.Join(' ', losses.Select(Point)))}"/>
            </svg></div>
            <figcaption class="aside"><span>first update</span><span>loss, logarithmic</span><span>update {last}</span></figcaption>
            </figure>
            """);

        string Point(ReportedLoss loss) => FormattableString.Invariant($"{100 * loss.Update / last:F2},{98 - (96 * (Math.Log(loss.Loss) - low) / Math.Max(high - low, double.Epsilon)):F2}");
    }
}
