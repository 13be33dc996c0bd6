using SamCompress.Cli.Jobs;
using SamCompress.Passes;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Recipes;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Training;

namespace SamCompress.Cli.Tests.Reports;

/// <summary>Reports with every part that a report can have, of a model whose names are meant to do harm.</summary>
internal static class SampleReports
{
    /// <summary>Closes whatever it may stand in, then loads, runs and hides.</summary>
    public const string Hostile = "\"'></style></title></td><script>document.title='broken'</script><img src=https://example.org/x.png onerror=\"document.title='broken'\"><!--\u202e\u0007";

    private static readonly ReportedModel Before = new("encoder.onnx", new string('a', 64), 358_000_000, 1615, 89_700_000, 1_240_000_000);
    private static readonly ReportedModel After = new("encoder.w8a8.onnx", new string('b', 64), 97_000_000, 216, 89_700_000, 1_330_000_000);
    private static readonly ReportedModel Small = new("decoder.onnx", new string('c', 64), 16_500_000, 601, 4_060_000, null);
    private static readonly MacCounts Macs = new(300_000_000_000, 60_000_000_000, 8_000_000_000), FewerMacs = new(150_000_000_000, 15_000_000_000, 0);

    private static readonly SortedDictionary<string, object?> Options = new(StringComparer.Ordinal)
    {
        ["precision"] = "w8a8",
        ["minMiou"] = 0.95,
        ["equalize"] = true,
        ["samples"] = null,
        ["nodesToExclude"] = Hostile,
    };

    private static readonly ReportedQuality Quality = new(
        2, true, "decoder.onnx", 32, 0.9512, 0.871, 0.913, 0.97, 0.012, 0.9987, 27.4, null,
        [new ReportedPicture(Hostile + ".jpg", 300, 400, 0.9991, 28, 0.962, 0.88, 0.93), new ReportedPicture("street.jpg", 1200, 800, 0.9983, 26.8, 0.9404, 0.61, 0.89)]);

    private static readonly ReportedSpeed Speed = new("cpu", 10, 812.5, 931.25, true);
    private static readonly ReportedGate[] Gates = [ReportedGate.AtLeast("mean-iou", 0.95, 0.9512), ReportedGate.AtLeast("mean-iou-of-both", 0.95, null)];
    private static readonly Diagnostic[] Diagnostics = [new("SC3301", Severity.Warning, Hostile, "is not equalized"), new("SC4301", Severity.Info, "/blocks.2/attn", "attention is left as it is")];
    private static readonly PassRecord[] Passes = [new("fold-constants", 41, 12.25, 900), new("eliminate-identity", 0, 0.5, 900)];
    private static readonly ReportedStage[] Stages = [new("read", 0.25), new("calibrate", 61.5), new("validate", 20)];

    private static readonly ReportedRepair Repair = new(
        true, 0.9, 0.93, 18.5, 21.25, [new RepairedLayer(Hostile, 0.25, 0.125, 768, 0.001, true, "the error halves"), new RepairedLayer("/neck/Conv", 0.5, 0.5, 0, 0.1, false, "it does not help")]);

    private static readonly ReportedRewrite RewriteStep = new(
        "dilated attention, interval 2",
        "auto",
        [new ReportedAttention(2, Hostile, 1, 4096, 12, 64, "decomposed, 127 x 64", "dilated"), new ReportedAttention(5, "/blocks.5/attn", 1, 4096, 12, 64, "none")],
        [new ReportedTrial([2], 0.97, true), new ReportedTrial([2, 5], 0.88, false)],
        Repair,
        Macs,
        FewerMacs,
        Quality)
    { Seconds = 75 };

    private static readonly ReportedTraining Training = new(
        "embedding", Hostile, 24, 8, 0.61, [new ReportedLoss(1, 2.5, 1e-3), new ReportedLoss(100, 0.5, 1e-3), new ReportedLoss(200, 0.25, 1e-4)], [new Validation(200, 0.91)], new Validation(200, 0.91), 3725);

    private static readonly ReportedLayer[] Layers =
    [
        new(Hostile, LayerKind.Linear, LayerExecution.Integer, "integers are faster", "MatMulIntegerToFloat", true, null, 31.5),
        new("/blocks.0/mlp/lin1/MatMul", LayerKind.Linear, LayerExecution.Float, "kept float for the masks", "MatMul", false, null, 24.25),
        new("/blocks.0/mlp/lin2/MatMul", LayerKind.Linear, LayerExecution.Integer, "integers are faster", null, false, "ONNX Runtime fused the layer so that it cannot be told which operator runs it", null),
        new("/neck/Conv", LayerKind.Conv, LayerExecution.WeightOnly, "the weight is large", "Conv", false, null, 8.5),
    ];

    private static readonly ReportedMixedPrecision Mixed = new(
        0.95, true, 8, 17, 0.9312, 0.9521, 500.5, 512.75,
        [new RevertedLayer("/blocks.0/mlp/lin1/MatMul", 0.01375, 0.04)],
        [new MeasuredLayer("/blocks.0/mlp/lin1/MatMul", "lin1", LayerKind.Linear, 0.98625, 29.5, 2_360_000, 9_000_000), new MeasuredLayer(Hostile, "qkv", LayerKind.Linear, 0.9975, null, 1_770_000, null)]);

    public static CompressionReport Compression => new()
    {
        ToolVersion = "1.2.3",
        RuntimeVersion = "1.23.0",
        Options = Options,
        Model = Before,
        Artifact = After,
        Calibration = new ReportedCalibration("mse", 32, new string('d', 64), Hostile, true, []),
        Quality = Quality,
        Speed = Speed,
        Slimming = new ReportedSlimming(
            new SlimStep { Ratio = 0.5 }, 89_700_000, 44_000_000, Macs, FewerMacs, [new ReportedSlimmingPhase([new PrunedGroup(Hostile, "embedding", 768, 384)], [], Training)], 7200),
        Rewrites = [RewriteStep],
        Decoder = new ReportedDecoder(Small, Small with { File = "decoder.w8a8.onnx", Bytes = 4_500_000 }, 240, Quality with { MeanIou = 0.94 }, Speed, Layers, new QuantizerProofResult(2, 2, 3, 3, []), ["decoder.w8a8.onnx"]),
        Gates = Gates,
        Layers = Layers,
        LayerErrors = new ReportedLayerErrors(Hostile, true, null),
        MixedPrecision = Mixed,
        Quantizers = new QuantizerProofResult(4, 3, 4, 4, [new DeadQuantizer(Hostile, "all values seen fall on one code, 3")]),
        Diagnostics = Diagnostics,
        Passes = Passes,
        Stages = Stages,
        PeakMemoryBytes = 2_500_000_000,
        Files = ["encoder.w8a8.onnx"],
    };

    public static RewriteReport Rewrite => new()
    {
        ToolVersion = "1.2.3",
        RuntimeVersion = "1.23.0",
        Options = Options,
        Model = Before,
        Artifact = After,
        Rewrite = RewriteStep with { Quality = null, MacsAfter = null },
        Pictures = new ReportedPictures(Hostile, new string('d', 64), 24, 8, []),
        Quality = Quality,
        Speed = Speed,
        Gates = [],
        Diagnostics = Diagnostics,
        Passes = Passes,
        Stages = Stages,
        PeakMemoryBytes = 2_500_000_000,
        Files = ["encoder.onnx"],
    };

    public static PruneReport Prune => new()
    {
        ToolVersion = "1.2.3",
        RuntimeVersion = "1.23.0",
        Options = Options,
        Model = Before,
        Artifact = After,
        Pruning = new ReportedPruning(
            [new ReportedGroup(Hostile, ChannelGroupKind.AttentionHead, 12, 64, 32, "half"), new ReportedGroup("/mlp", ChannelGroupKind.MlpHidden, 1, 3072, 3072, null)],
            [new RefusedChannels(Hostile, 256, "an output has them")], ["a note"], 89_700_000, 44_000_000, Macs, FewerMacs, Repair),
        Quality = Quality with { Decoder = null, Masks = 0, MeanIou = null, P5Iou = null, BoundaryIou = null, BestMaskAgreement = null, IouPredictionError = null, Note = "there is no decoder" },
        Diagnostics = [],
        Passes = Passes,
    };

    public static DistillReport Distill => new()
    {
        ToolVersion = "1.2.3",
        RuntimeVersion = "1.23.0",
        Options = Options,
        Model = After,
        Teacher = Before,
        Artifact = After,
        Training = Training,
        FrozenParameters = 31_000_000,
        Quality = Quality,
        Speed = Speed,
        Gates = Gates,
        Diagnostics = [],
        Passes = [],
        Stages = Stages,
        PeakMemoryBytes = 2_500_000_000,
        Files = ["student.onnx"],
    };

    /// <summary>Two pictures of a few pixels.</summary>
    public static IReadOnlyList<PictureOverlay> Pictures()
    {
        using var encoder = new PngEncoder();
        byte[] Png(byte shade) => encoder.Encode(new Raster(3, 2, [.. Enumerable.Range(0, 18).Select(i => (byte)(shade + i))]));
        return [.. Quality.PerPicture.Select(p => new PictureOverlay(p, 3, 2, Png(0), Png(100), Png(200)))];
    }
}
