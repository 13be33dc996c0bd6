using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering;

internal static class DoctorRenderer
{
    public static void Write(DoctorReport report, TextWriter writer)
    {
        int width = report.Findings.Max(f => f.Subject.Length);
        foreach (DoctorFinding finding in report.Findings)
        {
            writer.WriteLine($"{finding.Verdict.ToString().ToLowerInvariant(),-6} {finding.Subject.PadRight(width)}  {finding.Found}");
            if (finding.Hint is not null)
                writer.WriteLine($"       {new string(' ', width)}  {finding.Hint}");
        }
    }
}
