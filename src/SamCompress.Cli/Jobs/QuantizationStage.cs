using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Observers;

namespace SamCompress.Cli.Jobs;

/// <summary>
/// What encoders and decoders go through alike: observed, equalized, observed again, planned. The second look is at the model that is quantized; the first one
/// decides how it is equalized.
/// </summary>
/// <param name="clock">Its stages are named with <paramref name="what"/> behind.</param>
/// <param name="what">Empty, or which of two models it is.</param>
internal sealed class QuantizationStage(
    QuantizationRequest request,
    QuantizationOptions options,
    ExecutionRequest execution,
    PassContext context,
    StageClock clock,
    CancellationToken cancellation,
    string what = "")
{
    public TargetDescription Target { get; } = TargetDescription.Load(request.Target);

    private QuantizationPlanner Planner => new(options, Target);

    private EqualizationOptions Equalization => new()
    {
        ActivationLevels = 1 << Math.Min(request.Precision.ActivationBits, 8),
        WeightHighest = request.Precision.WeightHighest,
        SymmetricActivations = Target.SymmetricActivations,
    };

    /// <summary>See <see cref="CalibrationStatistics.Preparation"/>.</summary>
    public string Preparation => !request.Equalize ? "" : string.Create(
        CultureInfo.InvariantCulture,
        $"equalized for {Equalization.ActivationLevels}{(Equalization.SymmetricActivations ? " symmetric" : "")} levels and weights to {Equalization.WeightHighest}");

    /// <summary>Whether there is a layer to be quantized.</summary>
    /// <exception cref="SamCompressException">The model cannot be quantized, or the selection does not fit it.</exception>
    public bool HasWork(Model model) => Planner.RequiredStatistics(model).Count > 0;

    /// <summary>Everything that will be observed, for an estimate of memory.</summary>
    public IReadOnlyList<ObservedValue> Observed(Model model) => [.. Planner.RequiredStatistics(model), .. request.Equalize ? EqualizationPipeline.RequestedStatistics(model) : []];

    /// <summary>Observes the model on the samples, which are enumerated twice, and equalizes it in between.</summary>
    /// <param name="model">Prepared for quantization; equalized afterwards.</param>
    public CalibrationStatistics Calibrate(Model model, CalibrationOrigin origin, Func<IEnumerable<CalibrationSample>> samples)
    {
        var calibrator = new Calibrator(new CalibrationSettings { Session = execution.Session, MaxMemory = execution.MaxMemory });
        IReadOnlyList<ValueStatistics> before = [];
        if (request.Equalize)
        {
            clock.Start($"calibrate{what} for equalization");
            CalibrationStatistics seen = calibrator.Run(model, EqualizationPipeline.RequestedStatistics(model), samples(), origin, cancellationToken: cancellation);
            before = seen.Values;
            Equalize(model, seen);
        }

        clock.Start("calibrate" + what);
        return calibrator.Run(model, Planner.RequiredStatistics(model), samples(), origin, cancellationToken: cancellation) with { Preparation = Preparation, BeforeEqualization = before };
    }

    /// <summary>Equalizes a model as it was when <paramref name="statistics"/> were gathered, which hold what was seen before.</summary>
    public void EqualizeAgain(Model model, CalibrationStatistics statistics)
    {
        if (request.Equalize)
            Equalize(model, statistics with { Values = statistics.BeforeEqualization });
    }

    public QuantizationPlan Plan(Model model, CalibrationStatistics statistics)
    {
        clock.Start("search scales" + what);
        return Planner.Plan(model, statistics, cancellation: cancellation);
    }

    private void Equalize(Model model, CalibrationStatistics statistics) =>
        new PassPipeline(EqualizationPipeline.Passes(statistics, Equalization)).Run(model, context);
}
