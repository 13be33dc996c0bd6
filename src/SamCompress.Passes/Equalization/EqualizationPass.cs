using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Equalization;

/// <summary>
/// Moves factors and constants between layers so that what is quantized with one scale for all channels has channels of like range. Each edit is exact up to
/// rounding, whatever the statistics say: they only decide how good it is.
/// </summary>
/// <param name="statistics">Of the model before any equalization; see <see cref="EqualizationPipeline.RequestedStatistics"/>.</param>
public abstract class EqualizationPass(CalibrationStatistics statistics, EqualizationOptions? options = null) : Pass
{
    /// <summary>What could have been equalized and was not, with the reason.</summary>
    public const string MissId = "SC3301";

    protected CalibrationStatistics Statistics { get; } = statistics;

    protected EqualizationOptions Options { get; } = options ?? EqualizationOptions.Default;

    protected static void Miss(PassContext context, string where, string reason) => context.Report(MissId, Severity.Info, where, $"is not equalized: {reason}");

    /// <summary>By name, each once.</summary>
    internal static IReadOnlyList<ObservedValue> Distinct(IEnumerable<ObservedValue> observed) =>
        [.. observed.DistinctBy(o => o.Name, StringComparer.Ordinal).OrderBy(o => o.Name, StringComparer.Ordinal)];
}
