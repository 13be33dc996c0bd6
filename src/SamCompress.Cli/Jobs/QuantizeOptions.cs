using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Images.Embedded;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Jobs;

/// <summary>Which pictures to calibrate with, and how ranges are chosen.</summary>
public sealed record CalibrationRequest
{
    /// <summary>Pictures when <see cref="Samples"/> does not say how many.</summary>
    public const int DefaultSamples = 32;

    /// <summary>A folder, a pattern or a list; null for the shipped set, which fits the sample model only.</summary>
    public string? Data { get; init; }

    /// <summary>Null for up to <see cref="DefaultSamples"/>, as many as are there.</summary>
    public int? Samples { get; init; }

    public bool AllowFewer { get; init; }

    public int SkipBadImages { get; init; }

    public string Method { get; init; } = "mse";

    public double? Percentile { get; init; }

    public string? Cache { get; init; }
}

/// <summary>How weights are stored that are not quantized.</summary>
public enum FloatWeights
{
    /// <summary>In 32 bits: the graph is cleaned and fused only.</summary>
    Single,

    /// <summary>In 16 bits, computed with in 32.</summary>
    Half,
}

/// <summary>What a model is quantized to, for which target, and how.</summary>
public sealed record QuantizationRequest
{
    public Precision Precision { get; init; } = Precision.W8A8;

    /// <summary>Null to quantize.</summary>
    public FloatWeights? Floats { get; init; }

    /// <summary>For file names and reports.</summary>
    public string PrecisionName => Floats switch { FloatWeights.Half => "fp16", FloatWeights.Single => "fp32", _ => Precision.Name };

    /// <summary>The name of a built-in target, or a .json file.</summary>
    public string Target { get; init; } = TargetDescription.Default;

    /// <summary>Null for GPTQ below eight bits and the nearest integer otherwise, where it gains nothing (docs/quantization.md).</summary>
    public WeightRounding? Rounding { get; init; }

    public WeightRounding ChosenRounding => Rounding ?? (Precision.WeightBits < 8 ? WeightRounding.Gptq : WeightRounding.Nearest);

    /// <summary>Whether channels and heads are evened out first.</summary>
    public bool Equalize { get; init; } = true;

    public bool CorrectBias { get; init; } = true;

    /// <summary>See <see cref="QuantizationOptions.TwinRanges"/>.</summary>
    public bool TwinRanges { get; init; }

    /// <summary>With GPTQ: so many groups of layers, in graph order, each calibrated behind the quantized layers before it.</summary>
    public int GptqStages { get; init; } = 1;

    /// <summary>On how many pictures the best grids of each activation are judged by the masks; 0 for none.</summary>
    public int RerankPictures { get; init; }

    public QuantizationOptions Options(CalibrationRequest calibration, NodeSelection selection, bool allowRequantize) => new()
    {
        Precision = Precision,
        Metric = calibration.Method switch
        {
            "minmax" => SearchMetric.MinMax,
            "percentile" => SearchMetric.Percentile,
            "cosine" => SearchMetric.Cosine,
            "kl" or "entropy" => SearchMetric.Kl,
            "hessian" => SearchMetric.Hessian,
            _ => SearchMetric.Mse,
        },
        Estimator = calibration.Method switch
        {
            "minmax" => new MinMaxEstimator(),
            "percentile" => new PercentileEstimator(calibration.Percentile ?? PercentileEstimator.Default),
            "kl" or "entropy" => new EntropyEstimator(),
            _ => new MseEstimator(),
        },
        Rounding = ChosenRounding,
        CorrectBias = CorrectBias,
        TwinRanges = TwinRanges,
        Selection = selection,
        AllowRequantize = allowRequantize,
    };
}

/// <summary>How models are read, where they run, and how much memory they may take.</summary>
public sealed record ExecutionRequest
{
    /// <summary>How the models that the user names are read.</summary>
    public ReadOptions Reading { get; init; } = ReadOptions.Default;

    public SessionSettings Session { get; init; } = SessionSettings.Default;

    /// <summary>
    /// For a model of any size: without a planned block, which comes on top of what the first run left in the arena and makes the peak of a large model
    /// half again as high.
    /// </summary>
    public SessionSettings FrugalSession => Session with { UseMemoryPattern = false };

    /// <summary>Bytes of the process, or null for no limit.</summary>
    public long? MaxMemory { get; init; }

    public string DeviceName => Session.Device == ExecutionDevice.Cuda ? "cuda" : "cpu";
}

public sealed record QuantizeOptions
{
    public required string Model { get; init; }

    /// <summary>Null for the model's name with the precision, beside it.</summary>
    public string? Output { get; init; }

    public bool Overwrite { get; init; }

    public ExternalDataMode ExternalData { get; init; }

    /// <summary>Whether the output's folder is to be handed on: see <see cref="Jobs.Bundle"/>.</summary>
    public bool Bundle { get; init; }

    /// <summary>What the encoder shall take; null for the tensor that it takes.</summary>
    public PictureForm? Preprocessing { get; init; }

    /// <summary>Null to look beside the model.</summary>
    public string? Decoder { get; init; }

    /// <summary>The encoder that feeds <see cref="Model"/>, when that is a mask decoder; null when it is an encoder itself.</summary>
    public string? Encoder { get; init; }

    /// <summary>To quantize the decoder too, behind the quantized encoder; null to leave it as it is.</summary>
    public string? DecoderPrecision { get; init; }

    /// <summary>The encoder that <see cref="Model"/> was rewritten from, and is judged by; null to judge by the model itself.</summary>
    public string? Reference { get; init; }

    public string Teacher => Reference ?? Model;

    /// <summary>How it was slimmed, for the report.</summary>
    public ReportedSlimming? Slimming { get; init; }

    /// <summary>How it was rewritten, for the report.</summary>
    public IReadOnlyList<ReportedRewrite>? Rewrites { get; init; }

    /// <summary>The recipe that this is a step of, for the report.</summary>
    public string? Recipe { get; init; }

    public CalibrationRequest Calibration { get; init; } = new();

    public QuantizationRequest Quantization { get; init; } = new();

    public NodeSelection Selection { get; init; } = NodeSelection.All;

    public ExecutionRequest Execution { get; init; } = new();

    public double? MinMeanIou { get; init; }

    /// <summary>By how much the mean mask IoU may drop from 1; layers stay float to keep to it.</summary>
    public double? MaxDrop { get; init; }

    public bool AllowRequantize { get; init; }

    public bool DryRun { get; init; }

    public string OutputPath => Output ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(Model)) ?? "", $"{Path.GetFileNameWithoutExtension(Model)}.{Quantization.PrecisionName}.onnx");
}
