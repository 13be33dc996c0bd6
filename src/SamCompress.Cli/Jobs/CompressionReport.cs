using SamCompress.Passes;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Evaluation;

namespace SamCompress.Cli.Jobs;

/// <summary>A model file. Names no folder, so that a report can be handed on.</summary>
/// <param name="Sha256">Of the model file itself; external data has its own.</param>
/// <param name="MemoryBytes">What a run takes at least, by the graph: weights and the activations alive at one time. Null when a shape is not known.</param>
public sealed record ReportedModel(string File, string Sha256, long Bytes, int Nodes, long Parameters, long? MemoryBytes);

/// <summary>The pictures that calibration saw.</summary>
/// <param name="FromCache">Whether the statistics came from a cache, so that no picture was read now.</param>
public sealed record ReportedCalibration(string Method, int Pictures, string PictureSetHash, string Source, bool FromCache, IReadOnlyList<string> SkippedPictures);

/// <summary>What was decided about a layer and what ONNX Runtime made of it.</summary>
/// <param name="Kernel">The operator that runs the layer, or null when none can be told.</param>
/// <param name="Fallback">Why a layer that was to run as integers does not, or null.</param>
/// <param name="Sqnr">Of what the layer gives, with all errors before it, in dB; see <see cref="ReportedLayerErrors"/>. Null when it was not measured, or no bit differs.</param>
public sealed record ReportedLayer(string Name, LayerKind Kind, LayerExecution Execution, string Why, string? Kernel, bool IntegerKernel, string? Fallback, double? Sqnr = null);

/// <summary>How the errors of layers were measured: artifact and prepared float model on one input.</summary>
/// <param name="Picture">Null when they were not measured.</param>
/// <param name="HeldOut">Whether calibration has not seen it.</param>
/// <param name="Note">Why they were not measured, or null.</param>
public sealed record ReportedLayerErrors(string? Picture, bool HeldOut, string? Note);

/// <summary>One picture of a comparison; the mask figures are null without a decoder.</summary>
public sealed record ReportedPicture(string File, int Width, int Height, double EmbeddingCosine, double? EmbeddingSqnr, double? MeanIou, double? MinIou, double? BoundaryIou)
{
    internal static ReportedPicture Of(PictureResult picture) => new(
        Path.GetFileName(picture.Path), picture.Width, picture.Height, picture.EmbeddingCosine, picture.EmbeddingSqnr, picture.MeanIou, picture.MinIou, picture.MeanBoundaryIou);
}

/// <summary>How near the student comes to the teacher.</summary>
/// <param name="HeldOut">Whether calibration has not seen the pictures.</param>
/// <param name="Masks">Prompts, each answered by one mask of either model.</param>
/// <param name="EmbeddingSqnr">In dB; null when both agree in every bit.</param>
/// <param name="Note">What could not be measured and why, or null.</param>
public sealed record ReportedQuality(
    int Pictures,
    bool HeldOut,
    string? Decoder,
    int Masks,
    double? MeanIou,
    double? P5Iou,
    double? BoundaryIou,
    double? BestMaskAgreement,
    double? IouPredictionError,
    double EmbeddingCosine,
    double? EmbeddingSqnr,
    string? Note,
    IReadOnlyList<ReportedPicture> PerPicture)
{
    /// <param name="decoder">The file of the decoder, or null.</param>
    public static ReportedQuality Of(EvaluationResult result, bool heldOut, string? decoder)
    {
        ArgumentNullException.ThrowIfNull(result);
        return new ReportedQuality(
            result.Pictures.Count,
            heldOut,
            decoder is null ? null : Path.GetFileName(decoder),
            result.Masks?.Prompts ?? 0,
            result.Masks?.MeanIou,
            result.Masks?.P5Iou,
            result.Masks?.MeanBoundaryIou,
            result.Masks?.BestMaskAgreement,
            result.Masks?.IouHeadError,
            result.EmbeddingCosine,
            result.EmbeddingSqnr,
            result.Masks is null ? "there is no decoder beside the model, and none was given by --decoder" : null,
            [.. result.Pictures.Select(ReportedPicture.Of)]);
    }
}

/// <param name="Interleaved">Whether both ran in turns; else one after the other, because both at once would not fit into memory.</param>
public sealed record ReportedSpeed(string Device, int Runs, double TeacherMilliseconds, double StudentMilliseconds, bool Interleaved)
{
    /// <summary>How many times as fast as the teacher the student is.</summary>
    public double Ratio => TeacherMilliseconds / StudentMilliseconds;
}

/// <summary>A demand on the result.</summary>
/// <param name="Got">Null when it was not measured, and so not met.</param>
public sealed record ReportedGate(string Name, double Wanted, double? Got, bool Met)
{
    public static ReportedGate AtLeast(string name, double wanted, double? got) => new(name, wanted, got, got >= wanted);

    /// <summary>What a user may ask of the mean mask IoU: a least value, and how much below 1 it may be.</summary>
    public static IEnumerable<ReportedGate> OfMasks(double? minMeanIou, double? maxDrop, double? meanIou)
    {
        if (minMeanIou is { } wanted)
            yield return AtLeast("mean-iou", wanted, meanIou);
        if (maxDrop is { } drop)
            yield return AtLeast("max-drop", 1 - drop, meanIou);
    }

    public static ReportedGate Below(string name, double wanted, double got) => new(name, wanted, got, got < wanted);
}

public sealed record ReportedStage(string Name, double Seconds);

/// <summary>What came out of a compression, for programs and people; no part of it is needed to use the artifact.</summary>
public sealed record CompressionReport : IModelReport
{
    public int SchemaVersion { get; init; } = 1;

    public required string ToolVersion { get; init; }

    public required string RuntimeVersion { get; init; }

    public required IReadOnlyDictionary<string, object?> Options { get; init; }

    public required ReportedModel Model { get; init; }

    /// <summary>Null after a dry run.</summary>
    public required ReportedModel? Artifact { get; init; }

    /// <summary>Size of the artifact, as a part of the model's.</summary>
    public double? SizeRatio => Artifact is null ? null : (double)Artifact.Bytes / Model.Bytes;

    public required ReportedCalibration? Calibration { get; init; }

    public required ReportedQuality? Quality { get; init; }

    public required ReportedSpeed? Speed { get; init; }

    /// <summary>Null when the caller of the artifact preprocesses.</summary>
    public ReportedPreprocessing? Preprocessing { get; init; }

    /// <summary>How the model was slimmed before anything else; null when it was not.</summary>
    public ReportedSlimming? Slimming { get; init; }

    /// <summary>How the model was rewritten before it was quantized, in order; null when it was not.</summary>
    public IReadOnlyList<ReportedRewrite>? Rewrites { get; init; }

    /// <summary>Null when the decoder was left as it is.</summary>
    public ReportedDecoder? Decoder { get; init; }

    public required IReadOnlyList<ReportedGate> Gates { get; init; }

    public bool GatesMet => Gates.All(g => g.Met);

    public required IReadOnlyList<ReportedLayer> Layers { get; init; }

    /// <summary>Null when nothing was written.</summary>
    public ReportedLayerErrors? LayerErrors { get; init; }

    /// <summary>Null when no mask IoU was asked for, or there was nothing to judge masks by.</summary>
    public ReportedMixedPrecision? MixedPrecision { get; init; }

    /// <summary>Whether every quantizer of the artifact acts; null when nothing was written.</summary>
    public QuantizerProofResult? Quantizers { get; init; }

    public required IReadOnlyList<Diagnostic> Diagnostics { get; init; }

    public required IReadOnlyList<PassRecord> Passes { get; init; }

    public required IReadOnlyList<ReportedStage> Stages { get; init; }

    public required long PeakMemoryBytes { get; init; }

    /// <summary>What was written, by name: the artifact first, the reports last.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    public double Seconds => Stages.Sum(s => s.Seconds) + (Rewrites?.Sum(r => r.Seconds) ?? 0) + (Slimming?.Seconds ?? 0);
}
