using System.Globalization;
using SamCompress.Cli.Jobs;
using SamCompress.IR;

namespace SamCompress.Cli.Rendering;

/// <summary>The result of <c>distill</c> in a few lines.</summary>
internal static class DistillRenderer
{
    public static void Write(DistillReport report, TextWriter writer)
    {
        writer.WriteLine($"learned    {Training(report.Training)}");
        if (report.FrozenParameters > 0)
            writer.WriteLine($"kept       {Quantity.Count(report.FrozenParameters)} of {Quantity.Count(report.Artifact.Parameters)} parameters, of the layers before the first that differs from the teacher's");
        writer.WriteLine($"masks      {QuantizeRenderer.Quality(report.Quality)}");
        writer.WriteLine($"speed      {QuantizeRenderer.Speed(report.Speed)}");
        foreach (ReportedGate gate in report.Gates)
            writer.WriteLine(GateText.Line(gate));
        writer.WriteLine($"written    {string.Join(", ", report.Files.Select(SafeText.Line))} in {Quantity.Seconds(report.Seconds)}");
    }

    /// <summary>How a training went, in one line.</summary>
    public static string Training(ReportedTraining training)
    {
        string loss = training.Losses.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $", loss {training.Losses[0].Loss:G3} -> {training.Losses[^1].Loss:G3}") : "";
        string score = training is { Before: { } before, Best: { } best }
            ? string.Create(CultureInfo.InvariantCulture, $", score {before:F4} -> {best.Score:F4} on {training.Judging} others, best after {best.Update} updates")
            : "";
        return $"from {training.Learned} pictures of {SafeText.Line(training.Source)}{loss}{score}";
    }
}
