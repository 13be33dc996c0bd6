using SamCompress.IR;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;

namespace SamCompress.Cli.Jobs;

public sealed record EvaluateOptions(string Student, string Reference)
{
    /// <summary>Null to look beside the reference.</summary>
    public string? Decoder { get; init; }

    /// <summary>The student's own decoder; null when it shares the reference's.</summary>
    public string? StudentDecoder { get; init; }

    /// <summary>A folder, a pattern or a list; null for the held-out pictures of the shipped set, which fits the sample model only.</summary>
    public string? Data { get; init; }

    /// <summary>Null for all pictures.</summary>
    public int? Samples { get; init; }

    public int SkipBadImages { get; init; }

    public double? MinMeanIou { get; init; }

    /// <summary>By how much the mean mask IoU may drop from 1.</summary>
    public double? MaxDrop { get; init; }

    public ExecutionRequest Execution { get; init; } = new();
}

/// <summary>How a student compares with its teacher; the mask figures are null without a decoder.</summary>
public sealed record EvaluateReport(
    int SchemaVersion,
    string Student,
    string Reference,
    string? Decoder,
    string? StudentDecoder,
    int Pictures,
    int Masks,
    double? MeanIou,
    double? P5Iou,
    double? MinIou,
    double? BoundaryIou,
    double? BestMaskAgreement,
    double? IouPredictionError,
    double EmbeddingCosine,
    double WorstEmbeddingCosine,
    double? EmbeddingSqnr,
    double? SizeRatio,
    ReportedSpeed Speed,
    IReadOnlyList<ReportedGate> Gates,
    IReadOnlyList<PictureResult> PerPicture,
    IReadOnlyList<string> SkippedPictures,
    IReadOnlyDictionary<string, int> Remarks)
{
    public bool GatesMet => Gates.All(g => g.Met);
}

/// <summary>Measures a student against its teacher: embeddings, masks, size, speed.</summary>
public static class EvaluateJob
{
    public static EvaluateReport Run(EvaluateOptions options, IJobProgress progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        progress.Stage("read");
        string hash;
        using (Model reference = ModelSource.ReadEncoder(options.Reference, options.Execution.Reading))
            hash = FileHash.Of(reference, options.Reference);
        ModelSource.ReadEncoder(options.Student, options.Execution.Reading).Dispose();
        string? decoder = Comparison.FindDecoder(options.Decoder, options.Reference);
        if (options.StudentDecoder is not null && decoder is null)
            throw new SamCompressException(FailureKind.Usage, "the student's decoder needs the original's to be compared with, and there is none beside the reference", "name it with --decoder FILE.");
        ImageSet pictures = Pictures(options, hash);
        (EvaluationResult result, ReportedSpeed speed) =
            new Comparison(options.Execution, progress, cancellation).Together(options.Reference, options.Student, decoder, pictures, options.SkipBadImages, options.StudentDecoder);
        return new EvaluateReport(
            1,
            options.Student,
            options.Reference,
            decoder,
            options.StudentDecoder,
            result.Pictures.Count,
            result.Masks?.Prompts ?? 0,
            result.Masks?.MeanIou,
            result.Masks?.P5Iou,
            result.Masks?.MinIou,
            result.Masks?.MeanBoundaryIou,
            result.Masks?.BestMaskAgreement,
            result.Masks?.IouHeadError,
            result.EmbeddingCosine,
            result.WorstEmbeddingCosine,
            result.EmbeddingSqnr,
            result.SizeRatio,
            speed,
            [.. ReportedGate.OfMasks(options.MinMeanIou, options.MaxDrop, result.Masks?.MeanIou)],
            result.Pictures,
            result.Skipped,
            result.Remarks);
    }

    private static ImageSet Pictures(EvaluateOptions options, string hash)
    {
        if (options.Data is null)
            return ImageSet.Of(CalibrationPictures.Choose(new CalibrationRequest(), hash, ValidationStage.MostPictures).HeldOut);
        ImageSet all = ImageSet.Open(options.Data);
        return options.Samples is { } samples && samples < all.Paths.Count ? all.Split(samples, 0).Calibration : all;
    }
}
