using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Recipes;
using SamCompress.Runtime.Images.Embedded;

namespace SamCompress.Cli.Jobs;

public sealed record CompressOptions
{
    public required string Model { get; init; }

    public required Recipe Recipe { get; init; }

    /// <summary>Null for the model's name with the recipe's, beside it.</summary>
    public string? Output { get; init; }

    public bool Overwrite { get; init; }

    public ExternalDataMode ExternalData { get; init; }

    /// <summary>Whether the output's folder is to be handed on: see <see cref="Jobs.Bundle"/>.</summary>
    public bool Bundle { get; init; }

    /// <summary>What the encoder shall take; null for the tensor that it takes.</summary>
    public PictureForm? Preprocessing { get; init; }

    /// <summary>Null to look beside the model.</summary>
    public string? Decoder { get; init; }

    /// <summary>Only which pictures counts.</summary>
    public CalibrationRequest Calibration { get; init; } = new();

    public ExecutionRequest Execution { get; init; } = new();

    /// <summary>Where a training is kept, to go on from; null keeps nothing.</summary>
    public string? State { get; init; }

    public string OutputPath => Output ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(Model)) ?? "", $"{Path.GetFileNameWithoutExtension(Model)}.{Recipe.Name}.onnx");

    internal RewriteOptions Rewrite(RewriteStep step, string model, string output) => new()
    {
        Model = model,
        Output = output,
        Reference = model == Model ? null : Model,
        Step = step.Blocks.IsAuto ? step with { MinMiou = step.MinMiou ?? Math.Max(Recipe.Gates.MinMiou ?? 0, 1 - Recipe.Gates.MaxDrop ?? 0) } : step,
        Decoder = Decoder,
        Calibration = Calibration,
        Execution = Execution,
    };

    internal QuantizeOptions Quantize(string model, string output, IReadOnlyList<ReportedRewrite> rewrites) => new()
    {
        Model = model,
        Output = output,
        Reference = model == Model ? null : Model,
        Rewrites = rewrites.Count > 0 ? rewrites : null,
        Recipe = Recipe.Name,
        ExternalData = ExternalData,
        Preprocessing = Preprocessing,
        Bundle = Bundle,
        Decoder = Decoder,
        DecoderPrecision = Recipe.Quantize.DecoderPrecision,
        Calibration = Calibration with { Method = Recipe.Quantize.CalibrationMethod },
        Quantization = new QuantizationRequest
        {
            Precision = Precision.All.First(p => p.Name == Recipe.Quantize.Precision),
            Target = Recipe.Quantize.Target,
            Equalize = Recipe.Quantize.Equalize,
        },
        Selection = NodeSelection.All with { NodesToExclude = Recipe.Quantize.NodesToExclude },
        Execution = Execution,
        MinMeanIou = Recipe.Gates.MinMiou,
        MaxDrop = Recipe.Gates.MaxDrop,
    };
}

/// <summary>What a recipe would do to a model.</summary>
/// <param name="Attentions">All that are understood.</param>
/// <param name="Rewrites">In order, each as if the model were as it is now.</param>
public sealed record CompressPlan(
    int SchemaVersion, string Model, Recipe Recipe, IReadOnlyList<ReportedAttention> Attentions, IReadOnlyList<ReportedRewrite> Rewrites);
