using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Equalization;

/// <summary>The equalizing passes in order, for one set of statistics of the model as it was before any of them.</summary>
public static class EqualizationPipeline
{
    /// <summary>The values that <see cref="Passes"/> need statistics of, by name, each once. The model must be cleaned up and prepared for quantization.</summary>
    public static IReadOnlyList<ObservedValue> RequestedStatistics(Model model) => EqualizationPass.Distinct(
    [
        .. EqualizeQueryKey.RequestedStatistics(model),
        .. EqualizeValueProjection.RequestedStatistics(model),
        .. EqualizeReluChain.RequestedStatistics(model),
        .. EqualizeLayerNormalization.RequestedStatistics(model),
    ]);

    /// <summary>
    /// Each pass changes values that no other one has statistics of, so any order is exact. Columns come before rows: the error of a row is weighed with
    /// the columns that will be quantized.
    /// </summary>
    public static IReadOnlyList<Pass> Passes(CalibrationStatistics statistics, EqualizationOptions? options = null) =>
    [
        new EqualizeQueryKey(statistics, options),
        new EqualizeValueProjection(statistics, options),
        new EqualizeReluChain(statistics, options),
        new EqualizeLayerNormalization(statistics, options), // last: its weights are final
        new EliminateUnusedInitializers(), // constants that were shared
    ];
}
