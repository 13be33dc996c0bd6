using System.Text;
using SamCompress.Cli.Jobs;
using SamCompress.Passes.Pruning;
using static SamCompress.Cli.Rendering.ReportMarkdown;

namespace SamCompress.Cli.Rendering;

/// <summary>The report of <c>prune</c> as Markdown.</summary>
internal static class PruneMarkdown
{
    public static string Render(PruneReport report) => ModelMarkdown.Render(report, ModelMarkdown.Pictures(report.Pictures), text =>
    {
        ReportedPruning pruning = report.Pruning;
        if (report.Quality is null)
            Line(text, "Not judged: no pictures were given.\n");
        Line(text, "## Pruning");
        Line(text, "");
        Line(text, "| | before | after |");
        Line(text, "|---|---|---|");
        Line(text, $"| parameters | {Quantity.Count(pruning.ParametersBefore)} | {Quantity.Count(pruning.ParametersAfter)} |");
        Line(text, $"| linear multiply-accumulates | {Quantity.Count(pruning.MacsBefore.Linear)} | {Quantity.Count(pruning.MacsAfter.Linear)} |");
        Line(text, $"| attention multiply-accumulates | {Quantity.Count(pruning.MacsBefore.Attention)} | {Quantity.Count(pruning.MacsAfter.Attention)} |");
        Line(text, $"| multiply-accumulates of relative positions | {Quantity.Count(pruning.MacsBefore.RelativePosition)} | {Quantity.Count(pruning.MacsAfter.RelativePosition)} |");
        Line(text, "");
        foreach (IGrouping<ChannelGroupKind, ReportedGroup> kind in pruning.Groups.GroupBy(g => g.Kind))
            Line(text, $"- {PruneRenderer.Kind(kind.Key)}: {PruneRenderer.Widths([.. kind])}");
        foreach (string note in pruning.Notes)
            Line(text, $"- {Cell(note)}");
        Line(text, "");
        Groups(text, pruning);
        ModelMarkdown.Repair(text, pruning.Repair);
    });

    private static void Groups(StringBuilder text, ReportedPruning pruning)
    {
        Line(text, "| group | heads | channels | kept | why |");
        Line(text, "|---|---|---|---|---|");
        foreach (ReportedGroup group in pruning.Groups)
            Line(text, $"| {Cell(group.Name)} | {group.Copies} | {group.Before} | {group.After} | {Cell(group.Why ?? "-")} |");
        Line(text, "");
        if (pruning.Refused.Count == 0)
            return;
        Line(text, "| stays | channels | why |");
        Line(text, "|---|---|---|");
        foreach (RefusedChannels refused in pruning.Refused)
            Line(text, $"| {Cell(refused.Name)} | {refused.Size} | {Cell(refused.Reason)} |");
        Line(text, "");
    }
}
