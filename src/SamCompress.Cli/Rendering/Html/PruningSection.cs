using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>The channels that were taken away.</summary>
internal static class PruningSection
{
    public static void Write(HtmlText html, ReportedPruning pruning)
    {
        html.Line($"""<section id="pruning"><h2>Channels</h2><p>{Quantity.Count(pruning.ParametersBefore)} parameters became {Quantity.Count(pruning.ParametersAfter)}.</p>""");
        Tables.Macs(html, pruning.MacsBefore, pruning.MacsAfter);
        Tables.Open(html, "Groups of channels that go together", "group", "kind", "#before", "#after", "");
        foreach (ReportedGroup group in pruning.Groups)
        {
            html.Line($"""
                <tr><th scope="row"><code>{group.Name}</code><br><span class="aside">{group.Why}</span></th><td>{group.Kind}{(group.Copies > 1 ? $" × {group.Copies}" : "")}</td><td{Tables.Number}>{group.Before}</td><td{Tables.Number}>{group.After}</td><td class="wide">{Tables.Bar((double)group.After / group.Before)}</td></tr>
                """);
        }

        Tables.Close(html);
        if (pruning.Notes.Count + pruning.Refused.Count > 0)
        {
            html.Line($"""<ul class="remarks">""");
            foreach (string note in pruning.Notes)
                html.Line($"<li>{note}</li>");
            foreach (Passes.Pruning.RefusedChannels refused in pruning.Refused)
                html.Line($"<li><code>{refused.Name}</code> stays: {refused.Reason}</li>");
            html.Line($"</ul>");
        }

        Tables.Repair(html, pruning.Repair);
        html.Line($"</section>");
    }
}
