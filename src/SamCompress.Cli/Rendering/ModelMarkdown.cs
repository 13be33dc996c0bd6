using System.Text;
using SamCompress.Cli.Jobs;
using static SamCompress.Cli.Rendering.ReportMarkdown;

namespace SamCompress.Cli.Rendering;

/// <summary>The report of a job that makes one model of another as Markdown: what all have around what each has to tell.</summary>
internal static class ModelMarkdown
{
    /// <param name="pictures">A line about pictures, or null.</param>
    /// <param name="sections">What the job did.</param>
    public static string Render(IModelReport report, string? pictures, Action<StringBuilder> sections)
    {
        var text = new StringBuilder();
        Line(text, $"# {Cell(report.Artifact?.File ?? report.Model.File)}");
        Line(text, "");
        BeforeAndAfter(text, report.Gates, report.Original, report.Artifact, report.Speed);
        Line(text, "");
        if (report.Quality is { } quality)
            Quality(text, quality);
        sections(text);
        Line(text, "## How it was made");
        Line(text, "");
        Line(text, $"- samcompress {report.ToolVersion}, ONNX Runtime {report.RuntimeVersion}");
        Line(text, $"- model `{Cell(report.Model.File)}`, SHA-256 `{report.Model.Sha256}`");
        if (report.Artifact is { } made)
            Line(text, $"- artifact `{Cell(made.File)}`, SHA-256 `{made.Sha256}`");
        if (pictures is not null)
            Line(text, $"- {pictures}");
        Line(text, $"- options: {Options(report.Options)}");
        Line(text, $"- time: {string.Join(", ", report.Stages.Select(s => $"{s.Name} {Quantity.Seconds(s.Seconds)}"))}; peak memory {Quantity.Bytes(report.PeakMemoryBytes)}");
        return text.ToString();
    }

    /// <summary>What was fitted to pictures.</summary>
    public static string? Pictures(ReportedPictures? pictures) => pictures is null
        ? null
        : $"fitted to {pictures.Fitted} pictures of {Cell(pictures.Source)}{(pictures.Choosing > 0 ? $", blocks chosen by {pictures.Choosing} others" : "")}, set `{pictures.PictureSetHash}`";

    /// <summary>A repair of layers, if there was one.</summary>
    public static void Repair(StringBuilder text, ReportedRepair? repair)
    {
        if (repair is null)
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
}
