using SamCompress.Passes;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Repair;

namespace SamCompress.Cli.Jobs;

/// <summary>A self-attention as it was before a rewrite.</summary>
/// <param name="Number">Its place in the order of the graph, from 0; what <c>--blocks</c> takes.</param>
/// <param name="Groups">How many sets of tokens attend within themselves: 1 for a global attention.</param>
/// <param name="Tokens">Of one set.</param>
/// <param name="Became">What it is now; null where it is as it was.</param>
public sealed record ReportedAttention(int Number, string Name, long Groups, long Tokens, int Heads, int HeadSize, string Position, string? Became = null)
{
    internal static ReportedAttention Of(int number, SelfAttention attention) => new(
        number, attention.Name, attention.Order.GroupCount, attention.Order.TokenCount, attention.Heads, attention.HeadSize,
        attention.Position is NoPosition ? "none" : attention.Position.ToString());
}

/// <summary>Some blocks that were rewritten together to see what it costs.</summary>
/// <param name="MeanIou">On pictures that neither fit nor gate sees.</param>
/// <param name="Kept">Whether it was within what may be lost.</param>
public sealed record ReportedTrial(IReadOnlyList<int> Blocks, double MeanIou, bool Kept)
{
    public double Loss => 1 - MeanIou;
}

/// <param name="ErrorBefore">On pictures that the fit did not see, as a share of the variation of what the layer should give.</param>
public sealed record RepairedLayer(string Name, double ErrorBefore, double ErrorAfter, int Refitted, double Lambda, bool Kept, string Why)
{
    internal static RepairedLayer Of(LayerRepair repair) =>
        new(repair.Layer, repair.ErrorBefore, repair.ErrorAfter, repair.Refitted, repair.Lambda, repair.IsKept, repair.Why);
}

/// <summary>What the repair of the layers behind a rewrite came to, judged on pictures that it did not see.</summary>
/// <param name="Kept">Whether the result has it: only when it is no worse with it.</param>
public sealed record ReportedRepair(
    bool Kept, double? MeanIouWithout, double? MeanIouWith, double? EmbeddingSqnrWithout, double? EmbeddingSqnrWith, IReadOnlyList<RepairedLayer> Layers);

/// <summary>A rewrite of attention, what it is of and what it came to.</summary>
/// <param name="What">The rewrite with its numbers.</param>
/// <param name="Attentions">Those that were rewritten.</param>
/// <param name="Trials">How blocks were chosen, when they were to be.</param>
/// <param name="Repair">Null when there was to be none.</param>
/// <param name="Quality">After this step of a recipe, before the next; null where the report itself has it.</param>
/// <param name="MacsAfter">Null when it depends on pictures that were not looked at, in a dry run.</param>
public sealed record ReportedRewrite(
    string What, string Blocks, IReadOnlyList<ReportedAttention> Attentions, IReadOnlyList<ReportedTrial> Trials, ReportedRepair? Repair, MacCounts MacsBefore, MacCounts? MacsAfter,
    ReportedQuality? Quality = null)
{
    /// <summary>What this step of a recipe took; 0 where the report itself has it.</summary>
    public double Seconds { get; init; }
}

/// <summary>The pictures of a rewrite: what was fitted to them, by which of them blocks were chosen.</summary>
public sealed record ReportedPictures(string Source, string PictureSetHash, int Fitted, int Choosing, IReadOnlyList<string> Skipped);

/// <summary>What came out of a rewrite, for programs and people; no part of it is needed to use the artifact.</summary>
public sealed record RewriteReport : IModelReport
{
    public int SchemaVersion { get; init; } = 1;

    public required string ToolVersion { get; init; }

    public required string RuntimeVersion { get; init; }

    public required IReadOnlyDictionary<string, object?> Options { get; init; }

    public required ReportedModel Model { get; init; }

    /// <summary>Null when nothing was written: after a dry run, or when no block could be rewritten.</summary>
    public required ReportedModel? Artifact { get; init; }

    public required ReportedRewrite Rewrite { get; init; }

    public required ReportedPictures? Pictures { get; init; }

    /// <summary>Against the teacher.</summary>
    public required ReportedQuality? Quality { get; init; }

    public required ReportedSpeed? Speed { get; init; }

    public required IReadOnlyList<ReportedGate> Gates { get; init; }

    public bool GatesMet => Gates.All(g => g.Met);

    public required IReadOnlyList<Diagnostic> Diagnostics { get; init; }

    public required IReadOnlyList<PassRecord> Passes { get; init; }

    public required IReadOnlyList<ReportedStage> Stages { get; init; }

    public required long PeakMemoryBytes { get; init; }

    /// <summary>What was written, by name: the artifact first, the reports last.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    public double Seconds => Stages.Sum(s => s.Seconds);
}
