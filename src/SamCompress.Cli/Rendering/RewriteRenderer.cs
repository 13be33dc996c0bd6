using System.Globalization;
using SamCompress.Cli.Jobs;
using SamCompress.IR;

namespace SamCompress.Cli.Rendering;

/// <summary>The result of <c>rewrite</c> in a few lines.</summary>
internal static class RewriteRenderer
{
    public static void Write(RewriteReport report, TextWriter writer)
    {
        ReportedRewrite rewrite = report.Rewrite;
        if (report.Artifact is null && report.Gates.Count == 0)
            writer.WriteLine($"planned    {rewrite.What}: {RewriteText.Blocks(rewrite.Attentions)}{(rewrite.Blocks == "auto" ? " at most" : "")}");
        else
            writer.WriteLine($"rewritten  {rewrite.What}: {RewriteText.Blocks(rewrite.Attentions)}");
        foreach (ReportedTrial trial in rewrite.Trials)
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"tried      {RewriteText.Blocks(trial.Blocks)}: mean IoU {trial.MeanIou:F4}, {(trial.Kept ? "good enough" : "too low")}"));
        writer.WriteLine($"macs       {RewriteText.Macs(rewrite.MacsBefore, rewrite.MacsAfter)}");
        if (report.Artifact is { } artifact)
            writer.WriteLine($"size       {Quantity.Bytes(report.Model.Bytes)} -> {Quantity.Bytes(artifact.Bytes)}");
        if (report.Quality is { } quality)
            writer.WriteLine($"masks      {QuantizeRenderer.Quality(quality)}");
        if (rewrite.Repair is { } repair)
            writer.WriteLine($"repair     {RewriteText.Repair(repair)}");
        if (report.Speed is { } speed)
            writer.WriteLine($"speed      {QuantizeRenderer.Speed(speed)}");
        foreach (ReportedGate gate in report.Gates)
            writer.WriteLine(GateText.Line(gate));
        if (report.Files.Count > 0)
            writer.WriteLine($"written    {string.Join(", ", report.Files.Select(SafeText.Line))} in {Quantity.Seconds(report.Seconds)}");
        else if (report.Gates.Count == 0)
            WriteAttentions(rewrite, writer);
    }

    private static void WriteAttentions(ReportedRewrite rewrite, TextWriter writer)
    {
        foreach (ReportedAttention attention in rewrite.Attentions)
            writer.WriteLine($"attention {RewriteText.Attention(attention)}");
    }
}
