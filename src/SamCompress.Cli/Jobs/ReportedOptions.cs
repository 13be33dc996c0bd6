using System.Security.Cryptography;
using System.Text;
using SamCompress.Cli.Rendering;
using SamCompress.Passes.Quantization;

namespace SamCompress.Cli.Jobs;

/// <summary>The options of a quantization with their defaults, as reports show them.</summary>
internal static class ReportedOptions
{
    /// <summary>On which no byte of an artifact depends.</summary>
    private static readonly string[] OfTheRun = ["device", "threads", "maxMemory", "externalData"];

    public static SortedDictionary<string, object?> Of(QuantizeOptions options) => new(StringComparer.Ordinal)
    {
        ["recipe"] = options.Recipe,
        ["precision"] = options.Quantization.PrecisionName,
        ["target"] = options.Quantization.Target,
        ["rounding"] = options.Quantization.ChosenRounding.ToString().ToLowerInvariant(),
        ["equalize"] = options.Quantization.Equalize,
        ["correctBias"] = options.Quantization.CorrectBias,
        ["twinRanges"] = options.Quantization.TwinRanges,
        ["gptqStages"] = options.Quantization.GptqStages,
        ["rerank"] = options.Quantization.RerankPictures,
        ["decoderPrecision"] = options.DecoderPrecision,
        ["calibrationMethod"] = options.Calibration.Method,
        ["percentile"] = options.Calibration.Method == "percentile" ? options.Calibration.Percentile ?? PercentileEstimator.Default : null,
        ["samples"] = options.Calibration.Samples,
        ["device"] = options.Execution.DeviceName,
        ["threads"] = options.Execution.Session.Threads,
        ["maxMemory"] = options.Execution.MaxMemory,
        ["nodesToQuantize"] = Joined(options.Selection.NodesToQuantize),
        ["nodesToExclude"] = Joined(options.Selection.NodesToExclude),
        ["opTypesToQuantize"] = Joined(options.Selection.OpTypesToQuantize),
        ["opTypesToExclude"] = Joined(options.Selection.OpTypesToExclude),
        ["externalData"] = options.ExternalData.ToString().ToLowerInvariant(),
        ["embedPreprocessing"] = options.Preprocessing?.ToString().ToLowerInvariant(),
        ["minMiou"] = options.MinMeanIou,
        ["maxDrop"] = options.MaxDrop,
    };

    /// <summary>SHA-256 of those that decide what the artifact is; a file given as one counts by its name.</summary>
    public static string HashOf(QuantizeOptions options)
    {
        SortedDictionary<string, object?> all = Of(options);
        all["target"] = Path.GetFileName(options.Quantization.Target);
        foreach (string name in OfTheRun)
            all.Remove(name);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(JsonText.Serialize(all))));
    }

    private static string? Joined(IReadOnlyList<string> names) => names.Count == 0 ? null : string.Join(' ', names);
}
