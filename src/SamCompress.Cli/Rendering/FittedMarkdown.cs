using System.Text;
using SamCompress.Cli.Jobs;
using static SamCompress.Cli.Rendering.ReportMarkdown;

namespace SamCompress.Cli.Rendering;

/// <summary>The parts of a report as Markdown that <c>rewrite</c> and <c>prune</c> share.</summary>
internal static class FittedMarkdown
{
    /// <summary>The title, the gates, what became of the model, and how good it is.</summary>
    public static void Begin(StringBuilder text, IFittedReport report)
    {
        Line(text, $"# {Cell(report.Artifact?.File ?? report.Model.File)}");
        Line(text, "");
        BeforeAndAfter(text, report.Gates, report.Model, report.Artifact, report.Speed);
        Line(text, "");
        if (report.Quality is not { } quality)
            return;
        Line(text, "## Quality against the FP32 model");
        Line(text, "");
        Line(text, $"{quality.Pictures} pictures, to none of which anything was fitted; {quality.Masks} masks. {Cell(quality.Note ?? "")}".TrimEnd());
        Line(text, "");
        Rows(text, quality, null);
    }

    public static void Repair(StringBuilder text, ReportedRepair repair)
    {
        Line(text, $"Repair: {RewriteText.Repair(repair)}. Errors are on pictures that the fit did not see, as a share of the variation of what the layer should give.");
        Line(text, "");
        Line(text, "| layer | error before | error after | kept |");
        Line(text, "|---|---|---|---|");
        foreach (RepairedLayer layer in repair.Layers)
            Line(text, $"| {Cell(layer.Name)} | {Number(layer.ErrorBefore)} | {Number(layer.ErrorAfter)} | {(layer.Kept ? "yes" : "no")}: {Cell(layer.Why)} |");
        Line(text, "");
    }

    public static void Provenance(StringBuilder text, IFittedReport report)
    {
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
    }
}
