using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Targets;

namespace SamCompress.Passes.Quantization;

/// <summary>Decides how each layer of a graph is quantized: 8-bit weights with a scale per output channel, 8-bit activations with a scale per tensor.</summary>
public sealed class QuantizationPlanner(QuantizationOptions options, TargetDescription target)
{
    /// <summary>The first opset whose DequantizeLinear has an axis.</summary>
    public const long LowestOpset = 13;

    /// <summary>The values that <see cref="Plan"/> needs statistics of, by name, each once.</summary>
    /// <exception cref="SamCompressException">The model cannot be quantized at all, or the selection does not fit it.</exception>
    public IReadOnlyList<ObservedValue> RequiredStatistics(Model model)
    {
        var observed = new SortedDictionary<string, ObservedValue>(StringComparer.Ordinal);
        foreach ((QuantizableLayer layer, LayerExecution execution, _) in Decide(model))
        {
            if (execution != LayerExecution.Integer)
                continue;
            observed.TryAdd(layer.Input.Name, new ObservedValue(layer.Input.Name, layer.InputChannelAxis, layer.InputChannels));
            string output = layer.Node.Output.Name;
            if (target.Rule(layer).QuantizedOutput)
                observed.TryAdd(output, new ObservedValue(output, layer.InputChannelAxis, layer.OutputChannels));
        }

        foreach (ObservedValue factor in new AttentionPlanner(model.Graph, target).RequiredStatistics)
            observed.TryAdd(factor.Name, factor);
        return [.. observed.Values];
    }

    /// <summary>A pure function: the same model, statistics, options and target give the same plan.</summary>
    /// <exception cref="SamCompressException">The model cannot be quantized at all, the selection does not fit it, or the statistics lack a value.</exception>
    public QuantizationPlan Plan(Model model, CalibrationStatistics statistics, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        Dictionary<string, ValueStatistics> observed = statistics.Values.ToDictionary(v => v.Name, StringComparer.Ordinal);
        var decisions = Decide(model).ToList();
        var diagnostics = new List<Diagnostic>();
        var activations = new SortedDictionary<string, ActivationPlan>(StringComparer.Ordinal);
        foreach ((QuantizableLayer layer, LayerExecution execution, _) in decisions)
        {
            if (execution != LayerExecution.Integer)
                continue;
            PlanActivation(layer.Input.Name, atProducer: false);
            if (target.Rule(layer) is { QuantizedOutput: true, ScalesOutputChannels: false })
                PlanActivation(layer.Node.Output.Name, atProducer: true);
        }

        var attention = new AttentionPlanner(model.Graph, target);
        foreach (ObservedValue factor in attention.RequiredStatistics)
            PlanActivation(factor.Name, atProducer: false);
        var layers = new LayerPlan[decisions.Count];
        var found = new List<Diagnostic>[decisions.Count];
        Parallel.For(0, layers.Length, new ParallelOptions { CancellationToken = cancellation }, i =>
        {
            found[i] = [];
            layers[i] = PlanLayer(decisions[i].Layer, decisions[i].Execution, decisions[i].Why, activations, observed, found[i]);
        });

        IReadOnlyList<LayerPlan> all = attention.Merge(layers);
        return new QuantizationPlan
        {
            Target = target.Name,
            Activations = Used(activations.Values, all),
            Layers = all,
            Diagnostics = [.. diagnostics, .. found.SelectMany(d => d)],
        };

        void PlanActivation(string value, bool atProducer)
        {
            if (activations.TryGetValue(value, out ActivationPlan? known))
            {
                activations[value] = known with { AtProducer = known.AtProducer || atProducer };
                return;
            }

            if (!observed.TryGetValue(value, out ValueStatistics? seen))
                throw new SamCompressException(FailureKind.InputRejected, $"the calibration statistics hold nothing about '{value}'", "calibrate again with these options");
            activations.Add(value, Activation(value, seen, atProducer, diagnostics));
        }
    }

    private IEnumerable<(QuantizableLayer Layer, LayerExecution Execution, string Why)> Decide(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        RequireQuantizable(model);
        IReadOnlyList<QuantizableLayer> layers = LayerFinder.Find(model.Graph);
        IReadOnlyList<string?> excluded = options.Selection.Select(layers);
        for (int i = 0; i < layers.Count; i++)
        {
            QuantizableLayer layer = layers[i];
            LayerRule rule = target.Rule(layer);
            if (excluded[i] is { } reason)
                yield return (layer, LayerExecution.Float, reason);
            else if (layer.Kind == LayerKind.Linear && RankOf(layer) is null)
                yield return (layer, LayerExecution.Float, "the rank of its input is not known");
            else if (layer.Kind == LayerKind.Linear && RankOf(layer) < 2)
                yield return (layer, LayerExecution.Float, "its input is a vector");
            else if (layer.Kind == LayerKind.Linear && layer.InputChannels < options.FewestInputs)
                yield return (layer, LayerExecution.Float, "so few inputs gain nothing; coordinates and the like need their precision");
            else
                yield return (layer, rule.Execution, rule.Why);
        }
    }

    private void RequireQuantizable(Model model)
    {
        Node? quantized = model.AllGraphs().SelectMany(g => g.Nodes)
            .FirstOrDefault(n => n.OpType is "QuantizeLinear" or "DequantizeLinear" or "DynamicQuantizeLinear" or "MatMulNBits" or "MatMulIntegerToFloat"
                or "DynamicQuantizeMatMul" or "MatMulInteger" || n.OpType.StartsWith("QLinear", StringComparison.Ordinal));
        if (quantized is not null && !options.AllowRequantize)
        {
            throw new SamCompressException(FailureKind.Unsupported, $"the model is quantized already: it has a {quantized.OpType}", "start from the float model, or use --allow-requantize")
            {
                Location = model.Path is { } path ? $"{path}({quantized})" : quantized.ToString(),
            };
        }

        if (model.Opset() < LowestOpset)
        {
            throw new SamCompressException(
                FailureKind.Unsupported,
                $"opset {model.Opset()} has no quantization along an axis, opset {LowestOpset} has",
                $"export the model with opset {LowestOpset} or later");
        }
    }

    private static int? RankOf(QuantizableLayer layer) => layer.Node.OpType == "Gemm" ? 2 : (layer.Input.Shape ?? layer.Node.Output.Shape ?? layer.Output.Shape)?.Rank;

    private ActivationPlan Activation(string value, ValueStatistics seen, bool atProducer, List<Diagnostic> diagnostics)
    {
        bool isSigned = target.ActivationType == ElementType.Int8;
        ValueRange range = options.Estimator.Estimate(seen, 256);
        if (range.Min == 0 && range.Max == 0)
            diagnostics.Add(new Diagnostic("SC3103", Severity.Warning, value, "is zero on every calibration picture"));
        QuantizationGrid grid = target.SymmetricActivations
            ? QuantizationGrid.Symmetric(Math.Max(-range.Min, range.Max), 127)
            : QuantizationGrid.Affine(range.Min, range.Max, isSigned ? -128 : 0, isSigned ? 127 : 255);
        string why = string.Create(
            CultureInfo.InvariantCulture, $"{options.Estimator.Name}: [{range.Min:G4}, {range.Max:G4}] of [{seen.Min:G4}, {seen.Max:G4}] seen");
        return new ActivationPlan(value, target.ActivationType, grid, atProducer, why);
    }

    private LayerPlan PlanLayer(
        QuantizableLayer layer,
        LayerExecution execution,
        string why,
        IReadOnlyDictionary<string, ActivationPlan> activations,
        Dictionary<string, ValueStatistics> observed,
        List<Diagnostic> diagnostics)
    {
        var plan = new LayerPlan
        {
            Name = layer.Name,
            NodeOutput = layer.Node.Output.Name,
            Kind = layer.Kind,
            Execution = execution,
            Form = target.Rule(layer).Form,
            Why = why,
            Input = layer.Input.Name,
            WeightName = layer.WeightName,
            Bias = layer.Bias?.ToArray<float>(),
        };
        if (execution == LayerExecution.Float)
            return plan;
        using TensorLease lease = layer.Weight.Open();
        ReadOnlySpan<float> weight = lease.As<float>();
        var layout = ChannelLayout.Of(layer.Weight.Dimensions, layer.WeightAxis);
        float[] absoluteMax = WeightQuantizer.AbsoluteMax(weight, layout);
        if (!Array.TrueForAll(absoluteMax, float.IsFinite))
        {
            diagnostics.Add(new Diagnostic("SC3102", Severity.Warning, layer.WeightName, $"holds values that are not finite; {layer.Name} stays float"));
            return plan with { Execution = LayerExecution.Float, Why = "its weight holds values that are not finite" };
        }

        float[] scales = WeightQuantizer.Scales(absoluteMax, target.WeightHighest);
        int zeros = absoluteMax.Count(m => !float.IsNormal(m / target.WeightHighest));
        if (zeros > 0)
            diagnostics.Add(new Diagnostic("SC3101", Severity.Warning, layer.WeightName, $"{zeros} of {absoluteMax.Length} output channels of {layer.Name} are zero"));
        if (execution == LayerExecution.Integer && layer.Kind == LayerKind.Conv && plan.Bias is { } bias)
            MakeRoomForBias(scales, bias, activations[layer.Input.Name].Grid.Scale);
        if (options.CorrectBias && execution == LayerExecution.Integer && CanCorrect(layer) && observed[layer.Input.Name] is { } seen
            && seen.ChannelMean.Count == layer.InputChannels)
        {
            double[] lost = WeightQuantizer.OutputBias(weight, layout, scales, target.WeightHighest, seen.ChannelMean, InputOf(layer));
            plan = plan with { Bias = [.. lost.Select((l, i) => (float)((plan.Bias?[i] ?? 0) + l))] };
        }

        bool avoidsGemm = target.FusesLinearToGemm && plan.Form == LayerForm.Qdq;
        return plan with
        {
            WeightType = ElementType.Int8,
            WeightHighest = target.WeightHighest,
            WeightScales = scales,
            OutputGrids = execution == LayerExecution.Integer && target.Rule(layer) is { QuantizedOutput: true, ScalesOutputChannels: true } ? OutputGrids(layer, observed) : [],
            BiasRank = avoidsGemm ? 3 : 1,
            AddsAxis = layer.Kind == LayerKind.Linear && avoidsGemm && plan.Bias is not null && RankOf(layer) == 2,
        };
    }

    /// <summary>The range of each channel as it was seen.</summary>
    private IReadOnlyList<QuantizationGrid> OutputGrids(QuantizableLayer layer, Dictionary<string, ValueStatistics> observed)
    {
        string name = layer.Node.Output.Name;
        if (!observed.TryGetValue(name, out ValueStatistics? seen) || seen.ChannelMin.Count != layer.OutputChannels)
            throw new SamCompressException(FailureKind.InputRejected, $"the calibration statistics hold nothing about the channels of '{name}'", "calibrate again with these options");
        (int lowest, int highest) = target.ActivationType == ElementType.Int8 ? (-128, 127) : (0, 255);
        return [.. seen.ChannelMin.Zip(seen.ChannelMax, (min, max) => QuantizationGrid.Affine(min, max, lowest, highest))];
    }

    /// <summary>A convolution's kernel adds a bias for nothing; an Add behind a Linear that has none would cost time.</summary>
    private static bool CanCorrect(QuantizableLayer layer) => layer.Kind == LayerKind.Conv || (layer.Kind == LayerKind.Linear && layer.Bias is not null);

    /// <summary>Widens the scale of channels whose bias, in units of input scale times weight scale, would not fit 32 bits.</summary>
    private static void MakeRoomForBias(float[] scales, IReadOnlyList<float> bias, float inputScale)
    {
        for (int i = 0; i < scales.Length; i++)
        {
            float least = (float)(Math.Abs(bias[i]) / ((double)inputScale * (1 << 30)));
            if (scales[i] < least && float.IsFinite(least))
                scales[i] = least;
        }
    }

    private static Func<int, int, int, int> InputOf(QuantizableLayer layer)
    {
        if (layer.Kind == LayerKind.Linear)
            return layer.WeightAxis == 1 ? (outer, _, _) => outer : (_, _, inner) => inner;
        int inGroup = layer.InputChannels / layer.Groups, outGroup = layer.OutputChannels / layer.Groups;
        int positions = (int)(layer.Weight.Count / layer.OutputChannels / inGroup);
        return (_, channel, inner) => (channel / outGroup * inGroup) + (inner / positions);
    }

    /// <summary>Without the activations of layers that turned out to stay float.</summary>
    private static IReadOnlyList<ActivationPlan> Used(IEnumerable<ActivationPlan> activations, IReadOnlyList<LayerPlan> layers)
    {
        var integer = layers.Where(l => l.Execution == LayerExecution.Integer).ToList();
        var inputs = integer.SelectMany(l => new[] { l.Input, l.SecondInput }).ToHashSet(StringComparer.Ordinal);
        var outputs = integer.Select(l => l.NodeOutput).ToHashSet(StringComparer.Ordinal);
        return [.. activations.Select(a => a with { AtProducer = a.AtProducer && outputs.Contains(a.Value) }).Where(a => a.AtProducer || inputs.Contains(a.Value))];
    }
}
