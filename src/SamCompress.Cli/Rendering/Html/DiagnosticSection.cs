namespace SamCompress.Cli.Rendering.Html;

/// <summary>What a job noticed.</summary>
internal static class DiagnosticSection
{
    public static void Write(HtmlText html, IReadOnlyList<Diagnostic> diagnostics)
    {
        if (diagnostics.Count == 0)
            return;
        html.Line($"""<section id="remarks"><h2>Remarks</h2><ul class="remarks">""");
        foreach (Diagnostic diagnostic in diagnostics)
            html.Line($"""<li class="{new Markup(diagnostic.Severity.ToString().ToLowerInvariant())}"><strong>{diagnostic.Id}</strong> <code>{diagnostic.Where}</code> {diagnostic.Message}</li>""");
        html.Line($"</ul></section>");
    }
}
