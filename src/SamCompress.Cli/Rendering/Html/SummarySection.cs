using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>What one wants to know first: the verdict in a sentence, the gates, and four figures before and after.</summary>
internal static class SummarySection
{
    public static void Write(HtmlText html, IModelReport report, string verb)
    {
        html.Line($"""
            <header>
            <p class="eyebrow">samcompress {verb}</p>
            <h1>{report.Artifact?.File ?? report.Model.File}</h1>
            <p class="verdict">{VerdictText.Sentence(report)}</p>
            """);
        Gates(html, report);
        html.Line($"</header>");
        Figures(html, report);
    }

    private static void Gates(HtmlText html, IModelReport report)
    {
        if (report.Gates.Count == 0)
            return;
        html.Line($"""<ul class="gates" aria-label="Gates">""");
        foreach (ReportedGate gate in report.Gates)
        {
            html.Line($"""
                <li class="{(gate.Met ? "met" : "missed")}"><strong>{gate.Name} {(gate.Met ? "met" : "missed")}</strong> <span>{(gate.Got is { } got ? Tables.Text(got) : "not measured")}, wanted {gate.Wanted:F4}</span></li>
                """);
        }

        html.Line($"</ul>");
    }

    private static void Figures(HtmlText html, IModelReport report)
    {
        if (report.Artifact is not { } artifact)
            return;
        html.Line($"""<section class="figures" aria-label="Before and after">""");
        Figure(html, "Size", Quantity.Bytes(report.Original.Bytes), Quantity.Bytes(artifact.Bytes), (double)artifact.Bytes / report.Original.Bytes, "model file and its data");
        if (report.Speed is { } speed)
            Figure(html, "Time of a run", $"{Tables.Text(speed.TeacherMilliseconds, "F1")} ms", $"{Tables.Text(speed.StudentMilliseconds, "F1")} ms", 1 / speed.Ratio, $"on {speed.Device}, the least of {speed.Runs}");
        if (report.Original.MemoryBytes is { } before && artifact.MemoryBytes is { } after)
            Figure(html, "Memory of a run", Quantity.Bytes(before), Quantity.Bytes(after), (double)after / before, "weights and activations alive at one time, by the graph");
        if (report.Quality is { } quality)
            Masks(html, quality);
        html.Line($"</section>");
    }

    private static void Figure(HtmlText html, string name, string before, string after, double ratio, string note)
    {
        double longest = Math.Max(1, ratio);
        html.Line($"""
            <div class="figure">
            <h2>{name}</h2>
            <p class="big">{after}</p>
            <dl>
            <div><dt>before</dt><dd>{Tables.Bar(1 / longest, "before")}</dd><dd class="value">{before}</dd></div>
            <div><dt>after</dt><dd>{Tables.Bar(ratio / longest, ratio <= 1 ? "after" : "worse")}</dd><dd class="value">{after}</dd></div>
            </dl>
            <p class="aside">{ratio:F2} times as much; {note}</p>
            </div>
            """);
    }

    /// <summary>Masks of the original agree with themselves in every pixel: a mean IoU of 1.</summary>
    private static void Masks(HtmlText html, ReportedQuality quality)
    {
        bool hasMasks = quality.MeanIou is not null;
        html.Line($"""
            <div class="figure">
            <h2>{(hasMasks ? "Masks, mean IoU" : "Embeddings, cosine")}</h2>
            <p class="big">{Tables.Text(quality.MeanIou ?? quality.EmbeddingCosine)}</p>
            <dl>
            <div><dt>before</dt><dd>{Tables.Bar(1, "before")}</dd><dd class="value">1</dd></div>
            <div><dt>after</dt><dd>{Tables.Bar(quality.MeanIou ?? quality.EmbeddingCosine)}</dd><dd class="value">{Tables.Text(quality.MeanIou ?? quality.EmbeddingCosine)}</dd></div>
            </dl>
            <p class="aside">against the original, on {quality.Pictures} pictures{(quality.HeldOut ? " that were held out" : "")}{(hasMasks ? $", {quality.Masks} masks" : $"; {quality.Note}")}</p>
            </div>
            """);
    }
}
