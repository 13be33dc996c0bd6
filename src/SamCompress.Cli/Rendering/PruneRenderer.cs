using System.Globalization;
using SamCompress.Cli.Jobs;
using SamCompress.IR;
using SamCompress.Passes.Pruning;

namespace SamCompress.Cli.Rendering;

/// <summary>The result of <c>prune</c> in a few lines.</summary>
internal static class PruneRenderer
{
    public static void Write(PruneReport report, TextWriter writer, bool verbose)
    {
        ReportedPruning pruning = report.Pruning;
        foreach (IGrouping<ChannelGroupKind, ReportedGroup> kind in pruning.Groups.GroupBy(g => g.Kind))
            writer.WriteLine($"{(report.Artifact is null ? "planned" : "pruned"),-10} {Kind(kind.Key)}: {Widths([.. kind])}");
        writer.WriteLine($"parameters {Quantity.Count(pruning.ParametersBefore)} -> {Quantity.Count(pruning.ParametersAfter)}");
        writer.WriteLine($"macs       {RewriteText.Macs(pruning.MacsBefore, pruning.MacsAfter)}");
        if (report.Artifact is { } artifact)
            writer.WriteLine($"size       {Quantity.Bytes(report.Model.Bytes)} -> {Quantity.Bytes(artifact.Bytes)}");
        if (report.Quality is { } quality)
            writer.WriteLine($"masks      {QuantizeRenderer.Quality(quality)}");
        else if (report.Artifact is not null)
            writer.WriteLine("masks      not judged: no pictures were given");
        if (pruning.Repair is { } repair)
            writer.WriteLine($"repair     {RewriteText.Repair(repair)}");
        if (report.Speed is { } speed)
            writer.WriteLine($"speed      {QuantizeRenderer.Speed(speed)}");
        foreach (ReportedGate gate in report.Gates)
            writer.WriteLine(GateText.Line(gate));
        foreach (string note in pruning.Notes)
            writer.WriteLine($"note       {SafeText.Line(note)}");
        if (verbose || report.Artifact is null)
            WriteGroups(pruning, writer);
        if (report.Files.Count > 0)
            writer.WriteLine($"written    {string.Join(", ", report.Files.Select(SafeText.Line))} in {Quantity.Seconds(report.Seconds)}");
    }

    internal static string Kind(ChannelGroupKind kind) => kind switch
    {
        ChannelGroupKind.Embedding => "embeddings",
        ChannelGroupKind.AttentionHead => "channels of heads",
        ChannelGroupKind.MlpHidden => "hidden channels of MLPs",
        ChannelGroupKind.ConvChannels => "channels between convolutions",
        _ => "neck",
    };

    internal static string Widths(IReadOnlyCollection<ReportedGroup> groups) => string.Create(
        CultureInfo.InvariantCulture,
        $"{groups.Sum(g => (long)g.Before)} -> {groups.Sum(g => (long)g.After)} in {groups.Count} {(groups.Count == 1 ? "group" : "groups")}");

    private static void WriteGroups(ReportedPruning pruning, TextWriter writer)
    {
        foreach (ReportedGroup group in pruning.Groups)
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"group      {group.Before,5} -> {group.After,5}{(group.Copies > 1 ? $" x {group.Copies}" : "")}  {SafeText.Line(group.Name)}"));
        foreach (RefusedChannels refused in pruning.Refused)
            writer.WriteLine($"stays      {refused.Size,5}  {SafeText.Line(refused.Name)}: {SafeText.Line(refused.Reason)}");
    }
}
