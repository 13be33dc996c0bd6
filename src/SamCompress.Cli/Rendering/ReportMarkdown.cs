using System.Globalization;
using System.Text;
using SamCompress.Cli.Jobs;
using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Cli.Rendering;

/// <summary>A compression report as Markdown, for people: verdict first, then how it came about.</summary>
internal static class ReportMarkdown
{
    public static string Render(CompressionReport report)
    {
        var text = new StringBuilder();
        Line(text, $"# {Cell(report.Artifact?.File ?? report.Model.File)}");
        Line(text, "");
        Verdict(text, report);
        Quality(text, report);
        Layers(text, report);
        Diagnostics(text, report);
        Provenance(text, report);
        return text.ToString();
    }

    private static void Verdict(StringBuilder text, CompressionReport report)
    {
        foreach (ReportedGate gate in report.Gates)
            Line(text, $"**Gate {gate.Name}: {(gate.Met ? "met" : "missed")}**, wanted {Number(gate.Wanted)}, got {Number(gate.Got)}.\n");
        Line(text, "| | before | after | ratio |");
        Line(text, "|---|---|---|---|");
        if (report.Artifact is { } artifact)
        {
            Line(text, $"| size | {Quantity.Bytes(report.Model.Bytes)} | {Quantity.Bytes(artifact.Bytes)} | {Number(report.SizeRatio)} |");
            Line(text, $"| nodes | {report.Model.Nodes} | {artifact.Nodes} | |");
        }

        if (report.Speed is { } speed)
            Line(text, $"| time of a run on {speed.Device} | {Number(speed.TeacherMilliseconds, "F1")} ms | {Number(speed.StudentMilliseconds, "F1")} ms | {Number(speed.Ratio, "F2")} times as fast |");
        Line(text, "");
    }

    private static void Quality(StringBuilder text, CompressionReport report)
    {
        if (report.Quality is not { } quality)
            return;
        Line(text, "## Quality against the FP32 model");
        Line(text, "");
        Line(text, $"{quality.Pictures} pictures{(quality.HeldOut ? ", none of them seen by calibration" : ", which calibration has seen")}; {quality.Masks} masks. {Cell(quality.Note ?? "")}".TrimEnd());
        Line(text, "");
        Line(text, "| measure | value |");
        Line(text, "|---|---|");
        Row(text, "mean mask IoU", quality.MeanIou);
        Row(text, "5th percentile of mask IoU", quality.P5Iou);
        Row(text, "mean boundary IoU", quality.BoundaryIou);
        Row(text, "same best mask", quality.BestMaskAgreement);
        Row(text, "mean error of predicted IoU", quality.IouPredictionError);
        Row(text, "cosine of embeddings", quality.EmbeddingCosine);
        Row(text, "SQNR of embeddings in dB", quality.EmbeddingSqnr);
        Line(text, "");
    }

    private static void Layers(StringBuilder text, CompressionReport report)
    {
        Line(text, "## Layers");
        Line(text, "");
        Line(text, "| kind | planned as integer | run by an integer kernel | of |");
        Line(text, "|---|---|---|---|");
        foreach (IGrouping<LayerKind, ReportedLayer> kind in report.Layers.GroupBy(l => l.Kind).OrderBy(g => g.Key))
            Line(text, $"| {kind.Key} | {kind.Count(l => l.Execution == LayerExecution.Integer)} | {kind.Count(l => l.IntegerKernel)} | {kind.Count()} |");
        Line(text, "");
        List<ReportedLayer> others = [.. report.Layers.Where(l => !l.IntegerKernel)];
        if (others.Count == 0)
            return;
        Line(text, "Layers that do not run as integers:");
        Line(text, "");
        Line(text, "| layer | kernel | reason |");
        Line(text, "|---|---|---|");
        foreach (ReportedLayer layer in others)
            Line(text, $"| {Cell(layer.Name)} | {Cell(layer.Kernel ?? "-")} | {Cell(layer.Fallback ?? layer.Why)} |");
        Line(text, "");
    }

    private static void Diagnostics(StringBuilder text, CompressionReport report)
    {
        if (report.Diagnostics.Count == 0)
            return;
        Line(text, "## Remarks");
        Line(text, "");
        foreach (Diagnostic diagnostic in report.Diagnostics)
            Line(text, $"- {diagnostic.Severity} {diagnostic.Id}, {Cell(diagnostic.Where)}: {Cell(diagnostic.Message)}");
        Line(text, "");
    }

    private static void Provenance(StringBuilder text, CompressionReport report)
    {
        Line(text, "## How it was made");
        Line(text, "");
        Line(text, $"- samcompress {report.ToolVersion}, ONNX Runtime {report.RuntimeVersion}");
        Line(text, $"- model `{Cell(report.Model.File)}`, SHA-256 `{report.Model.Sha256}`, {report.Model.Parameters} parameters");
        if (report.Artifact is { } artifact)
            Line(text, $"- artifact `{Cell(artifact.File)}`, SHA-256 `{artifact.Sha256}`");
        if (report.Calibration is { } calibration)
            Line(text, $"- calibration: {calibration.Method}, {calibration.Pictures} pictures of {Cell(calibration.Source)}{(calibration.FromCache ? ", from the cache" : "")}, set `{calibration.PictureSetHash}`");
        Line(text, $"- options: {string.Join(", ", report.Options.Where(o => o.Value is not null).Select(o => $"{o.Key} {Cell(Convert.ToString(o.Value, CultureInfo.InvariantCulture)!)}"))}");
        Line(text, $"- time: {string.Join(", ", report.Stages.Select(s => $"{s.Name} {Quantity.Seconds(s.Seconds)}"))}; peak memory {Quantity.Bytes(report.PeakMemoryBytes)}");
    }

    private static void Row(StringBuilder text, string measure, double? value)
    {
        if (value is not null)
            Line(text, $"| {measure} | {Number(value)} |");
    }

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');

    private static string Number(double? value, string format = "F4") => value is not { } v ? "-" : v.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Text that may hold a name from a model, made harmless for a table.</summary>
    private static string Cell(string text) => SafeText.Line(text).Replace("|", "\\|", StringComparison.Ordinal).Replace("`", "'", StringComparison.Ordinal);
}
