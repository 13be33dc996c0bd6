using System.Globalization;
using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>A report in one sentence.</summary>
internal static class VerdictText
{
    public static string Sentence(IModelReport report)
    {
        if (report.Artifact is not { } artifact)
            return "Nothing was written.";
        double size = (double)artifact.Bytes / report.Original.Bytes;
        double change = Math.Round(100 * (size - 1));
        List<string> parts = [change == 0 ? "as large as the original" : Format($"{Math.Abs(change)} % {(change < 0 ? "smaller" : "larger")} than the original")];
        if (report.Speed is { } speed)
            parts.Add(speed.Ratio >= 1 ? Format($"{speed.Ratio:F2} times as fast on {speed.Device}") : Format($"slower on {speed.Device}, {1 / speed.Ratio:F2} times the time of a run"));
        if (report.Quality is { MeanIou: { } iou })
            parts.Add(Format($"its masks agree with the original's at a mean IoU of {iou:F3}"));
        else if (report.Quality is { } quality)
            parts.Add(Format($"its embeddings agree with the original's at a cosine of {quality.EmbeddingCosine:F4}"));
        string sentence = parts.Count == 1 ? parts[0] : $"{string.Join(", ", parts.SkipLast(1))}, and {parts[^1]}";
        int missed = report.Gates.Count(g => !g.Met);
        return char.ToUpperInvariant(sentence[0]) + sentence[1..] + (missed == 0 ? "." : missed == 1 ? ". One gate is missed." : Format($". {missed} gates are missed."));
    }

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
