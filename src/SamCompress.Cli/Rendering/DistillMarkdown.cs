using SamCompress.Cli.Jobs;
using static SamCompress.Cli.Rendering.ReportMarkdown;

namespace SamCompress.Cli.Rendering;

/// <summary>The report of <c>distill</c> as Markdown.</summary>
internal static class DistillMarkdown
{
    public static string Render(DistillReport report) => ModelMarkdown.Render(report, $"teacher `{Cell(report.Teacher.File)}`, SHA-256 `{report.Teacher.Sha256}`", text =>
    {
        Line(text, "## Training");
        Line(text, "");
        Line(text, $"Learned {DistillRenderer.Training(report.Training)}; it took {Quantity.Seconds(report.Training.Seconds)}.");
        Line(text, "");
    });
}
