using System.Globalization;
using SamCompress.Cli.Jobs;
using SamCompress.IR;
using SamCompress.Passes.Analysis;

namespace SamCompress.Cli.Rendering;

/// <summary>A rewrite in words, for all who tell of it.</summary>
internal static class RewriteText
{
    public static string Trial(ReportedTrial trial, double wanted) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Blocks(trial.Blocks)}: mean IoU {trial.MeanIou:F4}, a loss of {trial.Loss:F4}{(trial.Kept ? "" : $", below the {wanted:F4} that are wanted")}");

    public static string Blocks(IReadOnlyList<int> numbers) => numbers.Count == 0 ? "no block" : $"block{(numbers.Count == 1 ? "" : "s")} {string.Join(", ", numbers)}";

    /// <summary>The blocks, and what they became.</summary>
    public static string Blocks(IReadOnlyList<ReportedAttention> attentions)
    {
        string[] became = [.. attentions.Select(a => a.Became).OfType<string>().Distinct()];
        return Blocks([.. attentions.Select(a => a.Number)]) + (became.Length == 0 ? "" : $" ({string.Join(", ", became)})");
    }

    public static string Repair(ReportedRepair repair)
    {
        string what = $"{repair.Layers.Count(l => l.Kept)} of {repair.Layers.Count} layers refitted";
        string effect = repair is { MeanIouWithout: { } without, MeanIouWith: { } with }
            ? string.Create(CultureInfo.InvariantCulture, $"mean IoU {without:F4} -> {with:F4}")
            : string.Create(CultureInfo.InvariantCulture, $"SQNR of embeddings {repair.EmbeddingSqnrWithout:F1} -> {repair.EmbeddingSqnrWith:F1} dB");
        return $"{what}, {effect}{(repair.Kept ? "" : ": NOT kept, it does not help on pictures that it did not see")}";
    }

    public static string Macs(MacCounts before, MacCounts? after) => after is null
        ? $"{Quantity.Count(before.Total)} before; after it depends on the pictures"
        : string.Create(CultureInfo.InvariantCulture, $"{Quantity.Count(before.Total)} -> {Quantity.Count(after.Total)}, of attention {Quantity.Count(before.Attention + before.RelativePosition)} -> {Quantity.Count(after.Attention + after.RelativePosition)}");

    public static string Attention(ReportedAttention a) => string.Create(
        CultureInfo.InvariantCulture,
        $"{a.Number,3}  {(a.Groups == 1 ? $"global, {a.Tokens} tokens" : $"{a.Groups} sets of {a.Tokens} tokens")}, {a.Heads} heads of {a.HeadSize}, positions: {a.Position}  {SafeText.Line(a.Name)}");
}
