using System.Globalization;
using SamCompress.Cli.Jobs;
using SamCompress.IR;

namespace SamCompress.Cli.Rendering;

/// <summary>The result of <c>segment</c> in a few lines.</summary>
internal static class SegmentRenderer
{
    private const int MostMasks = 10;

    /// <param name="all">Shows every mask, however many there are.</param>
    public static void Write(SegmentReport report, TextWriter writer, bool all)
    {
        if (report.Masks.Count > 0)
            writer.WriteLine($"{"IoU",6} {"stable",6} {"pixels",8}  box: left, top, width, height");
        int shown = all ? report.Masks.Count : Math.Min(MostMasks, report.Masks.Count);
        foreach (ReportedMask mask in report.Masks.Take(shown))
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{mask.PredictedIou,6:F3} {mask.StabilityScore,6:F3} {mask.Area,8}  {string.Join(", ", mask.Box)}"));
        if (shown < report.Masks.Count)
            writer.WriteLine($"{"",22}  and {report.Masks.Count - shown} more: --verbose shows all");
        writer.WriteLine($"masks      {report.Masks.Count} in {report.Width} x {report.Height} pixels{Cost(report.Model)}");
        if (report.Model.Proposals is { } proposals)
        {
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"proposals  {proposals.Proposals}, {proposals.Likely} of enough predicted IoU (best {proposals.BestPredictedIou:F3}), {proposals.Stable} of these of enough stability (best {proposals.BestStability:F3})"));
        }

        if (report is { Masks.Count: 0, Model.Proposals: not null })
            writer.WriteLine("hint       no mask passed the filters: this model may need a lower --min-predicted-iou or --min-stability");
        if (report.Reference is { } reference)
        {
            writer.WriteLine(
                $"reference  {reference.Masks} masks{Cost(reference.Model)}; mean IoU {Number(reference.MeanIou)}, least {Number(reference.MinIou)}, {reference.ExtraMasks} masks like none of them most");
        }

        foreach (string remark in report.Remarks)
            writer.WriteLine($"remark     {SafeText.Line(remark)}");
        writer.WriteLine($"written    {SafeText.Line(report.Files[0])}{(report.Files.Count > 1 ? $" and {report.Files.Count - 1} more beside it" : "")}");
    }

    private static string Cost(SegmentedBy by)
    {
        string points = by.Points is null ? "" : $", {by.Points} points decoded";
        if (by is { CoarsePoints: { } coarse, ConfidentShare: { } share })
            points += string.Create(CultureInfo.InvariantCulture, $" in two rounds, {coarse} and {by.Points - coarse}, confident in {share:P0} of the picture");
        return $"{points}, in {Quantity.Seconds(by.Seconds)}";
    }

    private static string Number(double? value) => value?.ToString("F4", CultureInfo.InvariantCulture) ?? "-";
}
