using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Evaluation;

/// <summary>How a student compares with its teacher. Definitions: docs/evaluation.md.</summary>
public sealed record EvaluationResult
{
    public required IReadOnlyList<PictureResult> Pictures { get; init; }

    /// <summary>Null when there was no decoder: then only embeddings were compared.</summary>
    public required MaskResult? Masks { get; init; }

    /// <summary>Mean over the pictures.</summary>
    public required double EmbeddingCosine { get; init; }

    /// <summary>The least cosine of a picture.</summary>
    public required double WorstEmbeddingCosine { get; init; }

    /// <summary>Signal-to-quantization-noise ratio of all embeddings together, in dB; null when teacher and student agree in every bit.</summary>
    public required double? EmbeddingSqnr { get; init; }

    /// <summary>Bytes of the files; null for a model in memory.</summary>
    public long? TeacherBytes { get; init; }

    /// <inheritdoc cref="TeacherBytes"/>
    public long? StudentBytes { get; init; }

    public double? SizeRatio => StudentBytes is { } student && TeacherBytes is > 0 and { } teacher ? (double)student / teacher : null;

    /// <summary>Null when it was not measured.</summary>
    public LatencyResult? Latency { get; init; }

    /// <summary>Pictures left out because they could not be read, with the reason.</summary>
    public IReadOnlyList<string> Skipped { get; init; } = [];

    /// <summary>The pictures with the least mean mask IoU, the worst first, as many as <see cref="EvaluationSettings.KeptPictures"/>; empty without a decoder.</summary>
    public IReadOnlyList<PictureMasks> Worst { get; init; } = [];

    /// <summary>What was done to pictures that their owner may not expect, each once, with the number of pictures.</summary>
    public IReadOnlyDictionary<string, int> Remarks { get; init; } = new Dictionary<string, int>();
}

/// <summary>Masks of the student against those of the teacher, over all prompts of all pictures.</summary>
/// <param name="BestMaskAgreement">The share of prompts for which both predict the greatest IoU for the same mask.</param>
/// <param name="IouHeadError">Mean absolute difference of the predicted IoUs, over all masks of all prompts.</param>
public sealed record MaskResult(int Prompts, double MeanIou, double P5Iou, double MinIou, double MeanBoundaryIou, double BestMaskAgreement, double IouHeadError);

/// <summary>One picture; the mask figures are null without a decoder.</summary>
public sealed record PictureResult(
    string Path,
    string Sha256,
    int Width,
    int Height,
    double EmbeddingCosine,
    double? EmbeddingSqnr,
    double? MeanIou,
    double? MinIou,
    double? MeanBoundaryIou);

/// <summary>What both models answered to one prompt.</summary>
public sealed record MaskPair(Prompt Prompt, BinaryMask Teacher, BinaryMask Student, double Iou);

/// <summary>The masks of one picture, prompt by prompt, to be looked at.</summary>
public sealed record PictureMasks(PictureResult Picture, IReadOnlyList<MaskPair> Masks);

/// <summary>Time of one run of the encoder, the least of several, teacher and student taking turns.</summary>
public sealed record LatencyResult(double TeacherMilliseconds, double StudentMilliseconds, int Rounds)
{
    /// <summary>How many times faster the student is; below 1 when it is slower.</summary>
    public double Speedup => TeacherMilliseconds / StudentMilliseconds;
}

/// <summary>How far a job is.</summary>
/// <param name="Stage">A short phrase for people.</param>
public readonly record struct EvaluationProgress(string Stage, int Done, int Total);
