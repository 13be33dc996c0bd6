using SamCompress.Runtime.Segmentation;

namespace SamCompress.Cli.Jobs;

/// <summary>What was found in a picture.</summary>
/// <param name="Masks">In the order of the prompts, or by falling predicted IoU.</param>
/// <param name="Reference">Null without one.</param>
/// <param name="Remarks">What was done to the picture that its owner may not expect, and why a decoder took one prompt at a time.</param>
public sealed record SegmentReport(
    int SchemaVersion,
    string Picture,
    int Width,
    int Height,
    SegmentedBy Model,
    IReadOnlyList<ReportedMask> Masks,
    ReportedComparison? Reference,
    IReadOnlyList<string> Remarks,
    IReadOnlyList<string> Files);

/// <summary>Which models made masks, and what it took.</summary>
/// <param name="Proposals">Null for prompts.</param>
/// <param name="Points">How many points were decoded; null for prompts.</param>
/// <param name="CoarsePoints">How many of them in the first of two rounds; null for one round.</param>
/// <param name="ConfidentShare">Of the picture, in which the first round was confident; null for one round.</param>
/// <param name="EncoderSeconds">Null for prompts.</param>
/// <param name="Seconds">For the picture, without opening the models.</param>
public sealed record SegmentedBy(
    string Encoder, string Decoder, string Mode, ProposalCounts? Proposals, int? Points, int? CoarsePoints, double? ConfidentShare, double? EncoderSeconds, double? DecoderSeconds, double Seconds);

/// <param name="Area">In pixels.</param>
/// <param name="Box">Left, top, width, height, as SAM counts them: from the first to the last pixel.</param>
public sealed record ReportedMask(long Area, IReadOnlyList<int> Box, double PredictedIou, double StabilityScore)
{
    public static ReportedMask Of(FoundMask mask) => new(mask.Mask.Area, [mask.Box.Left, mask.Box.Top, mask.Box.Width, mask.Box.Height], mask.PredictedIou, mask.Stability);
}

/// <summary>How the masks compare with those of the reference.</summary>
/// <param name="MeanIou">Over the masks of the reference: the IoU with the mask for the same prompt, or with the one most like it; null when it found none.</param>
/// <param name="ExtraMasks">Masks that are like none of the reference's most.</param>
public sealed record ReportedComparison(SegmentedBy Model, int Masks, double? MeanIou, double? MinIou, int ExtraMasks, IReadOnlyList<double> Ious);
