using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Cli.Jobs;

/// <summary>A layer that was left float for the sake of the masks.</summary>
/// <param name="IouLoss">Of the mean mask IoU, when it alone is quantized.</param>
/// <param name="MacShare">Its part of the operations of all layers that could be quantized; null when it is not known.</param>
public sealed record RevertedLayer(string Name, double IouLoss, double? MacShare);

/// <summary>How layers were left float until the masks were good enough.</summary>
/// <param name="WantedIou">Mean mask IoU, on pictures of the calibration set.</param>
/// <param name="Met">Whether some mixture meets it; if none does all layers stay quantized.</param>
/// <param name="Evaluations">Models that were made and judged.</param>
/// <param name="Sensitivity">What each layer loses when it alone is quantized, the most sensitive first; empty when all layers may be quantized.</param>
/// <param name="MillisecondsBefore">Least time of a run of the encoder with all layers quantized, in turns with the mixture; null where it was not measured.</param>
public sealed record ReportedMixedPrecision(
    double WantedIou,
    bool Met,
    int Pictures,
    int Evaluations,
    double MeanIouBefore,
    double MeanIouAfter,
    double? MillisecondsBefore,
    double? MillisecondsAfter,
    IReadOnlyList<RevertedLayer> Reverted,
    IReadOnlyList<MeasuredLayer> Sensitivity);

/// <summary>
/// Where the masks of a fully quantized model are not good enough, leaves layers float: those first that lose most mask IoU for each operation that
/// quantizing them saves, or those that lose most, whichever comes out cheaper. How many is found by bisection; then each one is quantized again, the most
/// costly first, as long as the masks stay good enough.
/// </summary>
internal sealed class MixedPrecisionStage(QuantizeOptions options, string? decoder, StageClock clock, IJobProgress progress, CancellationToken cancellation)
{
    /// <summary>Pictures to judge by; a large model is slow, and is judged by fewer.</summary>
    private const int MostPictures = 8;
    private const int PicturesOfLargeModel = 3;

    /// <summary>How many reverted layers may be tried as quantized again.</summary>
    private const int MostTrials = 12;

    /// <summary>The mean mask IoU that is asked for, or null.</summary>
    private double? Wanted => options.MinMeanIou is null && options.MaxDrop is null ? null : Math.Max(options.MinMeanIou ?? 0, 1 - (options.MaxDrop ?? 1));

    /// <param name="prepared">The model that the plan is of; it stays as it is.</param>
    /// <param name="pictures">Those of the calibration set are used; null when there are none.</param>
    /// <returns>The plan with some layers reverted, and how that came about; the same plan and null when nothing was asked for or can be judged.</returns>
    /// <exception cref="SamCompressException">Usage: <c>--max-drop</c> was given and there is nothing to judge masks by.</exception>
    public (QuantizationPlan Plan, ReportedMixedPrecision? Record) Run(Model prepared, QuantizationPlan plan, CalibrationPictures? pictures)
    {
        if (Wanted is null || plan.IsEmpty)
            return (plan, null);
        if (decoder is null || pictures is null)
        {
            return options.MaxDrop is null
                ? (plan, null)
                : throw new SamCompressException(
                    FailureKind.Usage,
                    decoder is null ? "--max-drop is about masks, and there is no decoder beside the model" : "--max-drop is about masks, and only statistics were given",
                    decoder is null ? "name it with --decoder FILE." : "give pictures: --calibration-data DIR.");
        }

        clock.Start("judge masks");
        int samples = Math.Min(pictures.Calibration.Count, Comparison.IsSmall(options.Encoder ?? options.Teacher) ? MostPictures : PicturesOfLargeModel);
        using var judge = PlanJudge.Open(
            options.Encoder ?? options.Teacher,
            decoder,
            options.Encoder is not null,
            PlanJudge.Copies(prepared, cancellation),
            SensitivityJob.Chosen(pictures.Calibration, samples),
            options.Execution,
            options.Calibration.SkipBadImages,
            progress,
            cancellation);
        return Run(prepared, plan, judge);
    }

    private (QuantizationPlan Plan, ReportedMixedPrecision Record) Run(Model prepared, QuantizationPlan plan, PlanJudge judge)
    {
        double wanted = Wanted!.Value;
        double before = judge.Judge(plan, cancellation).MeanIou ?? 0;
        var record = new ReportedMixedPrecision(wanted, before >= wanted, judge.Pictures, 1, before, before, null, null, [], []);
        if (record.Met)
            return (plan, record);

        clock.Start("measure layers");
        IReadOnlyList<MeasuredLayer> layers = new SensitivityStage(judge, progress, cancellation).Run(prepared, plan);
        clock.Start("revert layers");
        var search = new MixtureSearch(layers, isFloat => judge.Judge(Reverted(plan, isFloat), cancellation).MeanIou ?? 0);
        (IReadOnlyList<MeasuredLayer> Float, double Score)? mixture = search.Run(wanted, MostTrials, (done, total) => progress.Advance(done, total, "models"));
        record = record with { Evaluations = 1 + layers.Count + search.Evaluations, Sensitivity = layers };
        if (mixture is not { } found)
            return (plan, record);
        QuantizationPlan mixed = Reverted(plan, found.Float);
        (double Before, double After)? time = judge.Time(plan, mixed, cancellation);
        long macs = layers.Sum(l => l.Macs ?? 0);
        return (mixed, record with
        {
            Met = true,
            MeanIouAfter = found.Score,
            MillisecondsBefore = time?.Before,
            MillisecondsAfter = time?.After,
            Reverted = [.. found.Float.Select(l => new RevertedLayer(l.Name, l.IouLoss ?? 0, macs == 0 || l.Macs is null ? null : (double)l.Macs / macs))],
        });
    }

    private static QuantizationPlan Reverted(QuantizationPlan plan, IEnumerable<MeasuredLayer> layers)
    {
        Dictionary<string, MeasuredLayer> chosen = layers.ToDictionary(l => l.NodeOutput, StringComparer.Ordinal);
        return plan.Revert(l => chosen.TryGetValue(l.NodeOutput, out MeasuredLayer? layer)
            ? string.Create(CultureInfo.InvariantCulture, $"kept float for the masks: alone it loses {layer.IouLoss ?? 0:F5} of mean IoU")
            : null);
    }
}
