using System.Reflection;
using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>
/// A report as one page that needs nothing else: no script, no font, no picture from elsewhere, which its content security policy also forbids.
/// One class a section; they share the column, tables and bars of the style sheet.
/// </summary>
internal static class ReportHtml
{
    private static readonly Lazy<Markup> Style = new(ReadStyle);

    public static string Render(CompressionReport report, IReadOnlyList<PictureOverlay> pictures) => Page(report, report.Options.GetValueOrDefault("recipe") is null ? "quantize" : "compress", pictures, html =>
    {
        if (report.Slimming is { } slimming)
            TrainingSection.Write(html, slimming);
        foreach (ReportedRewrite rewrite in report.Rewrites ?? [])
            RewriteSection.Write(html, rewrite);
        LayerSection.Write(html, "layers", "Layers", report.Layers, report.LayerErrors);
        if (report.Decoder is { } decoder)
            LayerSection.Write(html, "decoder-layers", "Layers of the decoder", decoder.Layers, report.LayerErrors is { Picture: not null } errors ? errors : null);
        SensitivitySection.Write(html, report.MixedPrecision);
        QuantizerSection.Write(html, report.Quantizers, report.Decoder?.Quantizers);
    });

    public static string Render(RewriteReport report, IReadOnlyList<PictureOverlay> pictures) =>
        Page(report, "rewrite", pictures, html => RewriteSection.Write(html, report.Rewrite));

    public static string Render(PruneReport report, IReadOnlyList<PictureOverlay> pictures) =>
        Page(report, "prune", pictures, html => PruningSection.Write(html, report.Pruning));

    public static string Render(DistillReport report, IReadOnlyList<PictureOverlay> pictures) =>
        Page(report, "distill", pictures, html => TrainingSection.Write(html, report.Training));

    private static string Page(IModelReport report, string verb, IReadOnlyList<PictureOverlay> pictures, Action<HtmlText> body)
    {
        var html = new HtmlText();
        html.Line($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="samcompress {report.ToolVersion}">
            <title>{report.Artifact?.File ?? report.Model.File} - samcompress {verb}</title>
            <link rel="icon" href="data:,">
            <style>
            {Style.Value}</style>
            </head>
            <body>
            <main>
            """);
        SummarySection.Write(html, report, verb);
        QualitySection.Write(html, report.Quality, (report as CompressionReport)?.Decoder?.Quality);
        PictureSection.Write(html, pictures);
        body(html);
        DiagnosticSection.Write(html, report.Diagnostics);
        ProvenanceSection.Write(html, report);
        html.Line($"""
            </main>
            </body>
            </html>
            """);
        return html.ToString();
    }

    private static Markup ReadStyle()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("report.css")!;
        using var reader = new StreamReader(stream);
        return new Markup(reader.ReadToEnd().ReplaceLineEndings("\n"));
    }
}
