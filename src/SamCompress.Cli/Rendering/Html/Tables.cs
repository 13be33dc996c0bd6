using System.Globalization;
using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>What sections share: tables that scroll by themselves, bars, numbers.</summary>
internal static class Tables
{
    /// <summary>Opens a table that may be wider than a narrow screen; rows follow, then <see cref="Close"/>.</summary>
    /// <param name="caption">Read aloud, and the name of the region that scrolls.</param>
    /// <param name="columns">Their headings; those that begin with # are of numbers.</param>
    public static void Open(HtmlText html, string caption, params ReadOnlySpan<string> columns)
    {
        html.Line($"""<div class="scroll" role="region" aria-label="{caption}" tabindex="0"><table><caption class="aside">{caption}</caption><thead><tr>""");
        foreach (string column in columns)
            html.Line($"""<th scope="col"{(column.StartsWith('#') ? Number : default)}>{column.TrimStart('#')}</th>""");
        html.Line($"</tr></thead><tbody>");
    }

    public static void Close(HtmlText html) => html.Line($"</tbody></table></div>");

    /// <summary>The attribute of a cell that holds a number.</summary>
    public static Markup Number { get; } = new(" class=\"number\"");

    /// <summary>A bar of a share of the room that it has.</summary>
    /// <param name="share">From 0 to 1; what lies beyond is cut.</param>
    /// <param name="kind">A class of the style sheet.</param>
    public static Markup Bar(double share, string kind = "after") => new(string.Create(
        CultureInfo.InvariantCulture, $"<span class=\"track\"><span class=\"bar {kind}\" style=\"width:{100 * (double.IsNaN(share) ? 0 : Math.Clamp(share, 0, 1)):F1}%\"></span></span>"));

    public static string Text(double? value, string format = "F4") => value is { } v && !double.IsNaN(v) ? v.ToString(format, CultureInfo.InvariantCulture) : "–";

    /// <summary>Multiply-accumulates by what they are for, before and after.</summary>
    public static void Macs(HtmlText html, Passes.Analysis.MacCounts before, Passes.Analysis.MacCounts? after)
    {
        Open(html, "Multiply-accumulate operations of a run", "operations", "#before", "#after", "share that is left");
        Row("linear", before.Linear, after?.Linear);
        Row("attention", before.Attention, after?.Attention);
        Row("relative positions", before.RelativePosition, after?.RelativePosition);
        Row("all", before.Total, after?.Total);
        Close(html);

        void Row(string name, long was, long? now)
        {
            if (was > 0 || now > 0)
                html.Line($"""<tr><th scope="row">{name}</th><td{Number}>{Quantity.Count(was)}</td><td{Number}>{(now is { } n ? Quantity.Count(n) : "–")}</td><td>{(now is { } left && was > 0 ? Bar((double)left / was) : default)}</td></tr>""");
        }
    }

    /// <summary>A repair of layers.</summary>
    public static void Repair(HtmlText html, ReportedRepair? repair)
    {
        if (repair is null)
            return;
        html.Line($"<h3>Repair</h3><p>{RewriteText.Repair(repair)}. Errors are on pictures that the fit did not see, as a share of the variation of what the layer should give.</p>");
        Open(html, "Layers that were refitted", "layer", "#error before", "#error after", "kept");
        foreach (RepairedLayer layer in repair.Layers)
            html.Line($"""<tr><th scope="row"><code>{layer.Name}</code></th><td{Number}>{layer.ErrorBefore:F4}</td><td{Number}>{layer.ErrorAfter:F4}</td><td>{(layer.Kept ? "yes" : "no")}: {layer.Why}</td></tr>""");
        Close(html);
    }
}
