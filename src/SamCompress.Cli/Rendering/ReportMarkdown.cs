using System.Globalization;
using System.Text;
using SamCompress.Cli.Jobs;
using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Evaluation;

namespace SamCompress.Cli.Rendering;

/// <summary>A compression report as Markdown, for people: verdict first, then how it came about.</summary>
internal static class ReportMarkdown
{
    private const int WorstLayers = 5;

    public static string Render(CompressionReport report)
    {
        var text = new StringBuilder();
        Line(text, $"# {Cell(report.Artifact?.File ?? report.Model.File)}");
        Line(text, "");
        Verdict(text, report);
        Quality(text, report);
        if (report.Slimming is { } slimming)
            SlimmingText.Section(text, slimming);
        foreach (ReportedRewrite rewrite in report.Rewrites ?? [])
            RewriteMarkdown.Section(text, rewrite);
        Layers(text, "Layers", report.Layers);
        if (report.Decoder is { } decoder)
            Layers(text, "Layers of the decoder", decoder.Layers);
        MixedPrecision(text, report.MixedPrecision);
        Quantizers(text, "the artifact", report.Quantizers);
        Quantizers(text, "the decoder", report.Decoder?.Quantizers);
        Diagnostics(text, report);
        Provenance(text, report);
        return text.ToString();
    }

    private static void Verdict(StringBuilder text, CompressionReport report)
    {
        BeforeAndAfter(text, report.Gates, report.Model, report.Artifact, report.Speed);
        if (report.Decoder is { } decoder)
        {
            Line(text, $"| size of the decoder | {Quantity.Bytes(decoder.Model.Bytes)} | {Quantity.Bytes(decoder.Artifact.Bytes)} | {Number(decoder.SizeRatio)} |");
            Line(text, $"| time of a prompt on {decoder.Speed.Device} | {Number(decoder.Speed.TeacherMilliseconds, "F1")} ms | {Number(decoder.Speed.StudentMilliseconds, "F1")} ms | {Number(decoder.Speed.Ratio, "F2")} times as fast |");
        }

        Line(text, "");
    }

    /// <summary>The gates, and the table of what became of the model, to which rows may be added.</summary>
    internal static void BeforeAndAfter(StringBuilder text, IReadOnlyList<ReportedGate> gates, ReportedModel model, ReportedModel? artifact, ReportedSpeed? speed)
    {
        foreach (ReportedGate gate in gates)
            Line(text, $"**Gate {gate.Name}: {(gate.Met ? "met" : "missed")}**, wanted {Number(gate.Wanted)}, got {Number(gate.Got)}.\n");
        Line(text, "| | before | after | ratio |");
        Line(text, "|---|---|---|---|");
        if (artifact is not null)
        {
            Line(text, $"| size | {Quantity.Bytes(model.Bytes)} | {Quantity.Bytes(artifact.Bytes)} | {Number((double)artifact.Bytes / model.Bytes)} |");
            Line(text, $"| nodes | {model.Nodes} | {artifact.Nodes} | |");
        }

        if (speed is not null)
            Line(text, $"| time of a run on {speed.Device} | {Number(speed.TeacherMilliseconds, "F1")} ms | {Number(speed.StudentMilliseconds, "F1")} ms | {Number(speed.Ratio, "F2")} times as fast |");
    }

    private static void Quality(StringBuilder text, CompressionReport report)
    {
        if (report.Quality is not { } quality)
            return;
        ReportedQuality? both = report.Decoder?.Quality;
        Line(text, "## Quality against the FP32 model");
        Line(text, "");
        Line(text, $"{quality.Pictures} pictures{(quality.HeldOut ? ", none of them seen by calibration" : ", which calibration has seen")}; {quality.Masks} masks. {Cell(quality.Note ?? "")}".TrimEnd());
        Line(text, "");
        Rows(text, quality, both);
    }

    /// <summary>The table of measures, with a second column where there are two models.</summary>
    internal static void Rows(StringBuilder text, ReportedQuality quality, ReportedQuality? both)
    {
        Line(text, both is null ? "| measure | value |" : "| measure | encoder quantized, decoder float | both quantized |");
        Line(text, both is null ? "|---|---|" : "|---|---|---|");
        Row("mean mask IoU", q => q.MeanIou);
        Row("5th percentile of mask IoU", q => q.P5Iou);
        Row("mean boundary IoU", q => q.BoundaryIou);
        Row("same best mask", q => q.BestMaskAgreement);
        Row("mean error of predicted IoU", q => q.IouPredictionError);
        Row("cosine of embeddings", q => q.EmbeddingCosine);
        Row("SQNR of embeddings in dB", q => q.EmbeddingSqnr);
        Line(text, "");

        void Row(string measure, Func<ReportedQuality, double?> value)
        {
            if (value(quality) is { } first)
                Line(text, $"| {measure} | {Number(first)} |{(both is null ? "" : $" {Number(value(both))} |")}");
        }
    }

    private static void Layers(StringBuilder text, string title, IReadOnlyList<ReportedLayer> layers)
    {
        Line(text, $"## {title}");
        Line(text, "");
        Line(text, "| kind | planned as integer | run by an integer kernel | of |");
        Line(text, "|---|---|---|---|");
        foreach (IGrouping<LayerKind, ReportedLayer> kind in layers.GroupBy(l => l.Kind).OrderBy(g => g.Key))
            Line(text, $"| {kind.Key} | {kind.Count(l => l.Execution == LayerExecution.Integer)} | {kind.Count(l => l.IntegerKernel)} | {kind.Count()} |");
        Line(text, "");
        List<ReportedLayer> worst = [.. layers.Where(l => l.Sqnr is not null).OrderBy(l => l.Sqnr).Take(WorstLayers)];
        if (worst.Count > 0)
        {
            Line(text, "Layers with the least SQNR, all errors before them included:");
            Line(text, "");
            Line(text, "| layer | SQNR in dB |");
            Line(text, "|---|---|");
            foreach (ReportedLayer layer in worst)
                Line(text, $"| {Cell(layer.Name)} | {Number(layer.Sqnr, "F1")} |");
            Line(text, "");
        }

        List<ReportedLayer> others = [.. layers.Where(l => !l.IntegerKernel)];
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

    private static void MixedPrecision(StringBuilder text, ReportedMixedPrecision? mixed)
    {
        if (mixed is null)
            return;
        Line(text, "## Mixed precision");
        Line(text, "");
        Line(text, MixedPrecisionText.Line(mixed, mostNames: 0) + $" {mixed.Evaluations} models were judged.");
        Line(text, "");
        if (mixed.Reverted.Count == 0)
            return;
        Line(text, "| layer kept float | IoU lost when it alone is quantized | part of the operations |");
        Line(text, "|---|---|---|");
        foreach (RevertedLayer layer in mixed.Reverted)
            Line(text, $"| {Cell(layer.Name)} | {Number(layer.IouLoss, "F5")} | {Number(layer.MacShare)} |");
        Line(text, "");
    }

    private static void Quantizers(StringBuilder text, string model, QuantizerProofResult? proof)
    {
        if (proof is null)
            return;
        Line(text, $"## Quantizers that act: {model}");
        Line(text, "");
        Line(text, $"{QuantizerText.Counts(proof)}: a change within a step changes nothing, a whole step does, what is beyond the range is cut off, and the codes seen differ.");
        Line(text, "");
        foreach (DeadQuantizer dead in proof.Dead)
            Line(text, $"- **{Cell(dead.Name)}** does not: {Cell(dead.Reason)}");
        if (proof.Dead.Count > 0)
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
        if (report.Decoder is { } decoder)
            Line(text, $"- decoder `{Cell(decoder.Model.File)}`, SHA-256 `{decoder.Model.Sha256}`; its artifact `{Cell(decoder.Artifact.File)}`, SHA-256 `{decoder.Artifact.Sha256}`, calibrated with {decoder.Prompts} prompts");
        if (report.Calibration is { } calibration)
            Line(text, $"- calibration: {calibration.Method}, {calibration.Pictures} pictures of {Cell(calibration.Source)}{(calibration.FromCache ? ", from the cache" : "")}, set `{calibration.PictureSetHash}`");
        Line(text, $"- options: {Options(report.Options)}");
        Line(text, $"- time: {string.Join(", ", report.Stages.Select(s => $"{s.Name} {Quantity.Seconds(s.Seconds)}"))}; peak memory {Quantity.Bytes(report.PeakMemoryBytes)}");
    }

    internal static string Options(IReadOnlyDictionary<string, object?> options) =>
        string.Join(", ", options.Where(o => o.Value is not null).Select(o => $"{o.Key} {Cell(Convert.ToString(o.Value, CultureInfo.InvariantCulture)!)}"));

    internal static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');

    internal static string Number(double? value, string format = "F4") => value is not { } v ? "-" : v.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Text that may hold a name from a model, made harmless for a table.</summary>
    internal static string Cell(string text) => SafeText.Line(text).Replace("|", "\\|", StringComparison.Ordinal).Replace("`", "'", StringComparison.Ordinal);
}
