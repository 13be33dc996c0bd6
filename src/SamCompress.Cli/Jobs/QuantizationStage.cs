using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Observers;

namespace SamCompress.Cli.Jobs;

/// <summary>
/// What encoders and decoders go through alike: observed, equalized, observed again, planned. The second look is at the model that is quantized; the first one
/// decides how it is equalized.
/// </summary>
/// <param name="clock">Its stages are named with <paramref name="what"/> behind.</param>
/// <param name="what">Empty, or which of two models it is.</param>
/// <param name="fuses">Whether the model is brought into the form of its target, in which it can be run but no longer trained.</param>
internal sealed class QuantizationStage(
    QuantizationRequest request,
    QuantizationOptions options,
    ExecutionRequest execution,
    PassContext context,
    StageClock clock,
    CancellationToken cancellation,
    string what = "",
    bool fuses = true)
{
    public TargetDescription Target { get; } = TargetDescription.Load(request.Target);

    public QuantizationPlanner Planner => new(options, Target);

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

    /// <summary>Observes the model on the samples, which are enumerated twice, and equalizes and fuses it in between.</summary>
    /// <param name="model">Prepared for quantization; equalized and fused afterwards.</param>
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

        Fuse(model);
        clock.Start("calibrate" + what);
        return calibrator.Run(model, Planner.RequiredStatistics(model), samples(), origin, cancellationToken: cancellation) with { Preparation = Preparation, BeforeEqualization = before };
    }

    /// <summary>Equalizes and fuses a model as it was when <paramref name="statistics"/> were gathered, which hold what was seen before.</summary>
    public void PrepareAgain(Model model, CalibrationStatistics statistics)
    {
        if (request.Equalize)
            Equalize(model, statistics with { Values = statistics.BeforeEqualization });
        Fuse(model);
    }

    /// <param name="samples">The same as for <see cref="Calibrate"/>; null when the layers cannot be calibrated one behind the other.</param>
    public QuantizationPlan Plan(Model model, CalibrationStatistics statistics, SearchGuidance? guidance = null, Func<IEnumerable<CalibrationSample>>? samples = null)
    {
        clock.Start("search scales" + what);
        QuantizationPlan plan = Planner.Plan(model, statistics, guidance, cancellation);
        return options.Rounding == WeightRounding.Gptq && request.GptqStages > 1 && samples is not null ? InStages(model, statistics, plan, guidance, samples) : plan;
    }

    /// <summary>
    /// Rounds the layers in groups, in graph order: each group is observed again in a copy of the model in which those before it are quantized, so that its
    /// weights make up for what reaches it. Its ranges stay those of the float model.
    /// </summary>
    private QuantizationPlan InStages(Model model, CalibrationStatistics statistics, QuantizationPlan plan, SearchGuidance? guidance, Func<IEnumerable<CalibrationSample>> samples)
    {
        LayerPlan[] layers = [.. plan.Layers];
        int[] quantized = [.. Enumerable.Range(0, layers.Length).Where(i => layers[i] is { Execution: not LayerExecution.Float, Kind: LayerKind.Linear })];
        int stages = Math.Min(request.GptqStages, quantized.Length);
        var calibrator = new Calibrator(new CalibrationSettings { Session = execution.Session, MaxMemory = execution.MaxMemory });
        var origin = new CalibrationOrigin(statistics.ModelHash, statistics.ToolVersion, statistics.PictureSetHash);
        guidance = (guidance ?? new SearchGuidance()) with { Grids = plan.Activations.Where(a => a.Twin is null).ToDictionary(a => a.Value, a => a.Grid, StringComparer.Ordinal) };
        for (int stage = 1; stage < stages; stage++)
        {
            HashSet<string> done = [.. quantized[..(quantized.Length * stage / stages)].Select(i => layers[i].NodeOutput)];
            int[] next = quantized[(quantized.Length * stage / stages)..(quantized.Length * (stage + 1) / stages)];
            HashSet<string> inputs = [.. next.Select(i => layers[i].Input)];
            clock.Start($"calibrate{what} stage {stage + 1} of {stages}");
            using Model copy = ModelCopy.Of(model);
            new QuantizePass((plan with { Layers = layers }).Revert(l => done.Contains(l.NodeOutput) ? null : "its turn comes later")).Apply(copy, new PassContext { Cancellation = cancellation });
            CalibrationStatistics seen = calibrator.Run(copy, [.. Planner.RequiredStatistics(model).Where(o => inputs.Contains(o.Name))], samples(), origin, cancellationToken: cancellation);
            // The other layers are not rounded again: without samples they cost nothing.
            CalibrationStatistics mixed = statistics with { Values = [.. statistics.Values.Select(v => v with { Samples = seen.Find(v.Name)?.Samples })] };
            QuantizationPlan again = Planner.Plan(model, mixed, guidance, cancellation);
            foreach (int i in next)
                layers[i] = again.Layers[i];
        }

        return plan with { Layers = layers };
    }

    /// <summary>Attention whose products are quantized stays as it is, and so does all of a target that wants standard operators, where Gemm is no gain.</summary>
    private void Fuse(Model model)
    {
        if (fuses && Target.ContributedOperators && Target.AttentionMatMul.Execution == LayerExecution.Float)
            new PassPipeline(StandardPipeline.FuseForTarget(Target)).Run(model, context);
    }

    private void Equalize(Model model, CalibrationStatistics statistics) =>
        new PassPipeline(EqualizationPipeline.Passes(statistics, Equalization)).Run(model, context);
}
