using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Repair;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;

namespace SamCompress.Runtime.Repair;

public sealed record RepairSettings
{
    public static RepairSettings Default { get; } = new();

    public SessionSettings Session { get; init; } = SessionSettings.Default;

    /// <summary>What the teacher's values may take, over all pictures, to be kept; beyond it the teacher runs again for each stage.</summary>
    public long MaxKeptBytes { get; init; } = 256L << 20;

    /// <summary>
    /// Whether each layer is fitted behind the repaired layers before it, which runs the student on all pictures once a layer. Otherwise it runs once, and
    /// every layer makes up for the whole error by itself.
    /// </summary>
    public bool IsSequential { get; init; } = true;

    /// <summary>See <see cref="RidgeRegression.Choose"/>.</summary>
    public IReadOnlyList<double> Lambdas { get; init; } = RidgeRegression.Lambdas;
}

/// <summary>
/// Repairs an approximate student in closed form: refits some of its layers, in the order of the graph, so that what they give comes close to what the teacher
/// has in the same place. No gradients, no prompts, no decoder.
/// </summary>
public sealed class RepairRun(RepairSettings? settings = null)
{
    private readonly RepairSettings _settings = settings ?? RepairSettings.Default;

    /// <summary>Fits every target, keeps those outputs that are better on pictures which they did not see, and writes them into the student.</summary>
    /// <param name="teacher">Is changed for a moment, and as it was when the call returns.</param>
    /// <param name="student">Takes the same inputs. Its layers change, nothing else.</param>
    /// <param name="samples">Gives the same pictures in the same order each time; every third one is held out.</param>
    /// <param name="progress">Told of each layer once it is decided.</param>
    /// <exception cref="SamCompressException">There are too few pictures, a value is not finite, or ONNX Runtime failed.</exception>
    /// <exception cref="InvariantException">A layer or a value of a target does not exist.</exception>
    public RepairPlan Run(
        Model teacher,
        Model student,
        IReadOnlyList<RepairTarget> targets,
        Func<IEnumerable<CalibrationSample>> samples,
        IProgress<LayerRepair>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentNullException.ThrowIfNull(samples);
        RepairTarget[] ordered = InGraphOrder(student, targets);
        var plan = new List<LayerRepair>();
        if (ordered.Length == 0)
            return new RepairPlan(plan);
        using var values = TeacherValues.Open(teacher, ordered.Select(t => t.TeacherValue), _settings.Session, _settings.MaxKeptBytes);
        var collector = new GramCollector(values, _settings.Session);
        foreach (RepairTarget[] stage in _settings.IsSequential ? ordered.Chunk(1) : [ordered])
        {
            Dictionary<string, QuantizableLayer> layers = LayersOf(student);
            (RepairTarget Target, QuantizableLayer Layer)[] pairs = [.. stage.Select(t => (t, layers[t.Layer]))];
            IReadOnlyList<CollectedSums> sums = collector.Collect(student, pairs, samples(), cancellationToken);
            LayerRepair[] repairs = [.. pairs.Zip(sums, (p, s) => Decide(p.Layer, s))];
            new ApplyRepair(new RepairPlan(repairs)).Apply(student, new PassContext { Cancellation = cancellationToken });
            plan.AddRange(repairs);
            foreach (LayerRepair repair in repairs)
                progress?.Report(repair);
        }

        return new RepairPlan(plan);
    }

    private LayerRepair Decide(QuantizableLayer layer, CollectedSums sums)
    {
        RidgeFit fit = RidgeRegression.Choose(sums.Fit, sums.HeldOut, RepairableLayer.MapOf(layer), _settings.Lambdas);
        double[] lambdas = [.. fit.Lambdas.Where(l => l > 0).Order()];
        return new LayerRepair
        {
            Layer = layer.Name,
            Lambda = lambdas.Length == 0 ? 0 : lambdas[lambdas.Length / 2],
            Refitted = lambdas.Length,
            ErrorBefore = fit.ErrorBefore,
            ErrorAfter = fit.ErrorAfter,
            Map = lambdas.Length == 0 ? null : fit.Map,
            Why = lambdas.Length == 0
                ? "no output comes nearer to the teacher on held-out pictures"
                : $"{lambdas.Length} of {fit.Lambdas.Count} outputs come nearer to the teacher on held-out pictures",
        };
    }

    private static RepairTarget[] InGraphOrder(Model student, IReadOnlyList<RepairTarget> targets)
    {
        Dictionary<string, QuantizableLayer> layers = LayersOf(student);
        foreach (RepairTarget target in targets)
        {
            if (!layers.TryGetValue(target.Layer, out QuantizableLayer? layer))
                throw new InvariantException($"the student has no layer '{target.Layer}' to repair");
            if (RepairableLayer.Refusal(layer) is { } refusal)
                throw new InvariantException($"'{target.Layer}' cannot be repaired: {refusal}");
        }

        Dictionary<string, int> places = layers.Keys.Select((name, place) => (name, place)).ToDictionary(p => p.name, p => p.place, StringComparer.Ordinal);
        return [.. targets.OrderBy(t => places[t.Layer])];
    }

    /// <summary>By name, in the order of the graph. Of layers with the same name the first.</summary>
    private static Dictionary<string, QuantizableLayer> LayersOf(Model model) =>
        LayerFinder.Find(model.Graph).DistinctBy(l => l.Name).ToDictionary(l => l.Name, StringComparer.Ordinal);
}
