using System.Globalization;
using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering;

internal static class EvaluateRenderer
{
    public static void Write(EvaluateReport report, TextWriter writer)
    {
        writer.WriteLine(report.MeanIou is null
            ? "masks       not measured: there is no decoder beside the original, and none was given by --decoder"
            : $"masks       mean IoU {Number(report.MeanIou)}, 5th percentile {Number(report.P5Iou)}, least {Number(report.MinIou)}, boundary {Number(report.BoundaryIou)}; same best mask {Number(report.BestMaskAgreement)}");
        writer.WriteLine($"embeddings  cosine {Number(report.EmbeddingCosine, "F5")}, least {Number(report.WorstEmbeddingCosine, "F5")}, SQNR {(report.EmbeddingSqnr is { } sqnr ? Number(sqnr, "F1") + " dB" : "without limit")}");
        writer.WriteLine($"size        ratio {Number(report.SizeRatio, "F3")}");
        writer.WriteLine($"speed       {Number(report.Speed.TeacherMilliseconds, "F1")} ms -> {Number(report.Speed.StudentMilliseconds, "F1")} ms on {report.Speed.Device}, {Number(report.Speed.Ratio, "F2")} times as fast");
        foreach (ReportedGate gate in report.Gates)
            writer.WriteLine(GateText.Line(gate));
        writer.WriteLine($"on          {report.Pictures} pictures, {report.Masks} masks{(report.SkippedPictures.Count > 0 ? $", {report.SkippedPictures.Count} pictures skipped" : "")}");
    }

    private static string Number(double? value, string format = "F4") => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
}
