using SamCompress.Cli.Jobs;
using static SamCompress.Cli.Rendering.ReportMarkdown;

namespace SamCompress.Cli.Rendering;

/// <summary>The report of <c>prune</c> as Markdown.</summary>
internal static class PruneMarkdown
{
    public static string Render(PruneReport report) => ModelMarkdown.Render(report, ModelMarkdown.Pictures(report.Pictures), text =>
    {
        ReportedPruning pruning = report.Pruning;
        Line(text, "## Channels");
        Line(text, "");
        Line(text, $"{Quantity.Count(pruning.ParametersBefore)} parameters became {Quantity.Count(pruning.ParametersAfter)}; multiply-accumulates {RewriteText.Macs(pruning.MacsBefore, pruning.MacsAfter)}.");
        Line(text, "");
        Line(text, "| group | kind | before | after |");
        Line(text, "|---|---|---|---|");
        foreach (ReportedGroup group in pruning.Groups)
            Line(text, $"| {Cell(group.Name)} | {group.Kind}{(group.Copies > 1 ? $" x {group.Copies}" : "")} | {group.Before} | {group.After} |");
        Line(text, "");
        foreach (string note in pruning.Notes)
            Line(text, $"{Cell(note)}\n");
        ModelMarkdown.Repair(text, pruning.Repair);
    });
}
