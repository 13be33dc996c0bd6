using System.Globalization;
using System.Text;
using SamCompress.Cli.Jobs;
using SamCompress.Passes.Recipes;
using static SamCompress.Cli.Rendering.ReportMarkdown;

namespace SamCompress.Cli.Rendering;

/// <summary>How a model was slimmed, in lines and as a part of a report.</summary>
internal static class SlimmingText
{
    public static void Write(ReportedSlimming slimming, TextWriter writer)
    {
        writer.WriteLine($"slimmed    {Title(slimming.Step)}: {Quantity.Count(slimming.ParametersBefore)} -> {Quantity.Count(slimming.ParametersAfter)} parameters, {RewriteText.Macs(slimming.MacsBefore, slimming.MacsAfter)}");
        foreach (ReportedSlimmingPhase phase in slimming.Phases)
            writer.WriteLine($"learned    {phase.Training.Name}, {DistillRenderer.Training(phase.Training)}");
    }

    public static void Section(StringBuilder text, ReportedSlimming slimming)
    {
        Line(text, $"## Slimming: {Title(slimming.Step)}");
        Line(text, "");
        Line(text, "| | before | after |");
        Line(text, "|---|---|---|");
        Line(text, $"| parameters | {Quantity.Count(slimming.ParametersBefore)} | {Quantity.Count(slimming.ParametersAfter)} |");
        Line(text, $"| linear multiply-accumulates | {Quantity.Count(slimming.MacsBefore.Linear)} | {Quantity.Count(slimming.MacsAfter.Linear)} |");
        Line(text, $"| attention multiply-accumulates | {Quantity.Count(slimming.MacsBefore.Attention)} | {Quantity.Count(slimming.MacsAfter.Attention)} |");
        Line(text, "");
        foreach (ReportedSlimmingPhase phase in slimming.Phases)
        {
            Line(text, $"### Phase: {phase.Training.Name}");
            Line(text, "");
            Line(text, $"{phase.Groups.Count} groups of channels pruned; then {DistillRenderer.Training(phase.Training)}; it took {Quantity.Seconds(phase.Training.Seconds)}.");
            Line(text, "");
            Line(text, "| group | kind | channels | kept |");
            Line(text, "|---|---|---|---|");
            foreach (PrunedGroup group in phase.Groups)
                Line(text, $"| {Cell(group.Name)} | {group.Kind} | {group.Size} | {group.Kept} |");
            foreach (string note in phase.Notes)
                Line(text, $"\n{Cell(note)}");
            Line(text, "");
        }
    }

    /// <summary>What is pruned, by what and how.</summary>
    public static string Title(SlimStep step) =>
        string.Create(CultureInfo.InvariantCulture, $"{step.Ratio:P0} of all channels by {step.Importance}, {(step.Alternate ? "alternating" : "in one step")}");
}
