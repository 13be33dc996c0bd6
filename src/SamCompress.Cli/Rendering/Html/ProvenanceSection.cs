using System.Globalization;
using SamCompress.Cli.Jobs;
using SamCompress.Passes;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>Everything that is needed to make the same again: versions, hashes, options, and where the time went.</summary>
internal static class ProvenanceSection
{
    public static void Write(HtmlText html, IModelReport report)
    {
        html.Line($"""<section id="provenance"><h2>How it was made</h2><div class="columns"><div>""");
        Files(html, report);
        Stages(html, report);
        html.Line($"</div><div>");
        Options(html, report);
        Passes(html, report.Passes);
        html.Line($"""</div></div><p class="aside">samcompress {report.ToolVersion}, ONNX Runtime {report.RuntimeVersion}; peak memory of the job {Quantity.Bytes(report.PeakMemoryBytes)}.</p></section>""");
    }

    private static void Files(HtmlText html, IModelReport report)
    {
        html.Line($"""<h3>Files</h3><dl class="files">""");
        Model("model", report.Model);
        if (report is DistillReport { Teacher: var teacher })
            Model("teacher", teacher);
        if (report.Artifact is { } artifact)
            Model("artifact", artifact);
        if (report is CompressionReport { Decoder: { } decoder })
        {
            Model("decoder", decoder.Model);
            Model("its artifact", decoder.Artifact);
        }

        string? pictures = report switch
        {
            CompressionReport { Calibration: { } c } => $"{c.Method} on {c.Pictures} of {c.Source}{(c.FromCache ? ", from the cache" : "")}; set {c.PictureSetHash}",
            RewriteReport { Pictures: { } p } => $"fitted to {p.Fitted} of {p.Source}; set {p.PictureSetHash}",
            PruneReport { Pictures: { } p } => $"fitted to {p.Fitted} of {p.Source}; set {p.PictureSetHash}",
            DistillReport { Training: var t } => $"learned from {t.Learned} of {t.Source}, chosen by {t.Judging} others",
            _ => null,
        };
        if (pictures is not null)
            html.Line($"<div><dt>pictures</dt><dd>{pictures}</dd></div>");
        html.Line($"</dl>");

        void Model(string role, ReportedModel model) => html.Line($"""
            <div><dt>{role}</dt><dd><strong>{model.File}</strong>, {Quantity.Bytes(model.Bytes)}, {Quantity.Count(model.Parameters)} parameters, {model.Nodes} nodes<br>SHA-256 <code>{model.Sha256}</code></dd></div>
            """);
    }

    private static void Options(HtmlText html, IModelReport report)
    {
        html.Line($"<h3>Options</h3>");
        Tables.Open(html, "Effective options", "option", "value");
        foreach ((string name, object? value) in report.Options)
        {
            if (value is not null)
                html.Line($"""<tr><th scope="row">{name}</th><td>{(value is bool yes ? (yes ? "yes" : "no") : Convert.ToString(value, CultureInfo.InvariantCulture))}</td></tr>""");
        }

        Tables.Close(html);
    }

    private static void Stages(HtmlText html, IModelReport report)
    {
        if (report.Stages.Count == 0)
            return;
        double longest = report.Stages.Max(s => s.Seconds);
        html.Line($"<h3>Time: {Quantity.Seconds(report.Seconds)}</h3>");
        Tables.Open(html, "Stages of the job", "stage", "#time", "");
        foreach (ReportedStage stage in report.Stages)
            html.Line($"""<tr><th scope="row">{stage.Name}</th><td{Tables.Number}>{Quantity.Seconds(stage.Seconds)}</td><td class="wide">{Tables.Bar(longest > 0 ? stage.Seconds / longest : 0)}</td></tr>""");
        Tables.Close(html);
    }

    private static void Passes(HtmlText html, IReadOnlyList<PassRecord> passes)
    {
        html.Line($"<details><summary>{passes.Count} passes ran, {passes.Sum(p => p.Changes)} edits</summary>");
        Tables.Open(html, "Passes in their order", "pass", "#edits", "#nodes after", "#ms");
        foreach (PassRecord pass in passes)
            html.Line($"""<tr><th scope="row">{pass.Name}</th><td{Tables.Number}>{pass.Changes}</td><td{Tables.Number}>{pass.Nodes}</td><td{Tables.Number}>{pass.Milliseconds:F1}</td></tr>""");
        Tables.Close(html);
        html.Line($"</details>");
    }
}
