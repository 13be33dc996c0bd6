using System.Globalization;
using SamCompress.Cli.Jobs;
using SamCompress.IR;

namespace SamCompress.Cli.Rendering;

/// <summary>What mixed precision did, in one line.</summary>
internal static class MixedPrecisionText
{
    public static string Line(ReportedMixedPrecision mixed, int mostNames = 3)
    {
        if (!mixed.Met)
            return $"no mixture reaches a mean IoU of {Number(mixed.WantedIou)} on {mixed.Pictures} calibration pictures; all layers stay quantized, with {Number(mixed.MeanIouBefore)}.";
        if (mixed.Reverted.Count == 0)
            return $"not needed: mean IoU {Number(mixed.MeanIouBefore)} on {mixed.Pictures} calibration pictures with all layers quantized.";
        string names = string.Join(", ", mixed.Reverted.Take(mostNames).Select(l => SafeText.Of(l.Name)));
        if (mostNames > 0 && mixed.Reverted.Count > mostNames)
            names += " and others";
        string time = mixed is { MillisecondsBefore: { } before, MillisecondsAfter: { } after } ? $"; a run takes {Number(after, "F1")} ms, not {Number(before, "F1")}" : "";
        return $"{mixed.Reverted.Count} layers kept float{(names.Length > 0 ? $" ({names})" : "")}: mean IoU {Number(mixed.MeanIouBefore)} -> {Number(mixed.MeanIouAfter)} on {mixed.Pictures} calibration pictures{time}.";
    }

    private static string Number(double value, string format = "F4") => value.ToString(format, CultureInfo.InvariantCulture);
}
