using SamCompress.Cli.Jobs;
using SamCompress.IR;
using SamCompress.Passes;

namespace SamCompress.Cli.Rendering;

internal static class OptimizeRenderer
{
    public static void Write(OptimizeReport report, TextWriter writer, bool verbose)
    {
        writer.WriteLine($"{SafeText.Line(report.Output)}: {report.NodesBefore} nodes became {report.NodesAfter}, {Quantity.Bytes(report.BytesBefore)} became {Quantity.Bytes(report.BytesAfter)}, in {Quantity.Seconds(report.Seconds)}");
        if (!report.Changed)
            writer.WriteLine("  nothing to do: the model was clean already");
        if (report.Preprocessing is { } preprocessing)
            writer.WriteLine("  " + PreprocessingText.Line(preprocessing));
        foreach (Diagnostic warning in report.Diagnostics.Where(d => d.Severity == Severity.Warning))
            writer.WriteLine($"  warning: {SafeText.Of(warning.Where)}: {SafeText.Line(warning.Message)} ({warning.Id})");
        if (!verbose)
            return;
        foreach (PassRecord pass in report.Passes)
            writer.WriteLine($"  {pass.Name,-32} {pass.Changes,6} changes {pass.Milliseconds,8:F1} ms {pass.Nodes,6} nodes");
    }
}
