using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Passes.Targets;

namespace SamCompress.Passes.Quantization;

/// <summary>Decides how each layer of a graph is quantized: 8-bit weights with a scale per output channel, 8-bit activations with a scale per tensor.</summary>
public sealed class QuantizationPlanner(QuantizationOptions options, TargetDescription target)
{
    /// <summary>The first opset whose DequantizeLinear has an axis.</summary>
    public const long LowestOpset = 13;

    /// <summary>Second moments of more inputs than this cost more time and memory than scale search gains by them; GPTQ always wants them.</summary>
    private const int MostSearchedMoments = 2048;

    /// <summary>The values that <see cref="Plan"/> needs statistics of, by name, each once.</summary>
    /// <exception cref="SamCompressException">The model cannot be quantized at all, or the selection does not fit it.</exception>
    public IReadOnlyList<ObservedValue> RequiredStatistics(Model model)
    {
        var observed = new SortedDictionary<string, ObservedValue>(StringComparer.Ordinal);
        foreach ((QuantizableLayer layer, LayerExecution execution, _) in Decide(model))
        {
            if (execution == LayerExecution.Float)
                continue;
            observed.TryAdd(layer.Input.Name, new ObservedValue(layer.Input.Name, layer.InputChannelAxis, layer.InputChannels, InputDetail(layer)));
            string output = layer.Node.Output.Name;
            if (execution == LayerExecution.Integer && target.Rule(layer).QuantizedOutput)
                observed.TryAdd(output, new ObservedValue(output, layer.InputChannelAxis, layer.OutputChannels, Searches ? ObservationDetail.Rows : ObservationDetail.Ranges));
        }

        if (QuantizesAttention)
        {
            foreach (ObservedValue factor in new AttentionPlanner(model.Graph, target).RequiredStatistics)
                observed.TryAdd(factor.Name, factor);
        }

        return [.. observed.Values];
    }

    private bool QuantizesAttention => options.Precision is { ActivationBits: <= 8, WeightBits: >= 6 };

    private bool Searches => options.Metric is not (SearchMetric.MinMax or SearchMetric.Percentile);

    private ObservationDetail InputDetail(QuantizableLayer layer) => layer.Kind == LayerKind.Linear && options.Rounding == WeightRounding.Gptq ? ObservationDetail.SecondMoments
        : !Searches ? ObservationDetail.Ranges
        : layer.Kind == LayerKind.Linear && layer.InputChannels <= MostSearchedMoments ? ObservationDetail.SecondMoments
        : ObservationDetail.Rows;

    /// <summary>A pure function: the same arguments give the same plan.</summary>
    /// <param name="guidance">What was learned by running the model; null for nothing.</param>
    /// <exception cref="SamCompressException">The model cannot be quantized at all, the selection does not fit it, or the statistics lack a value.</exception>
    public QuantizationPlan Plan(
        Model model,
        CalibrationStatistics statistics,
        SearchGuidance? guidance = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        Dictionary<string, ValueStatistics> observed = statistics.Values.ToDictionary(v => v.Name, StringComparer.Ordinal);
        var decisions = Decide(model).ToList();
        var parallel = new ParallelOptions { CancellationToken = cancellation };
        var diagnostics = new List<Diagnostic>();
        AttentionPlanner? attention = QuantizesAttention ? new AttentionPlanner(model.Graph, target) : null;
        IReadOnlyList<WantedActivation> wanted = WantedActivations(decisions, attention);
        foreach (WantedActivation activation in wanted)
        {
            if (!observed.TryGetValue(activation.Value, out ValueStatistics? seen))
                throw new SamCompressException(FailureKind.InputRejected, $"the calibration statistics hold nothing about '{activation.Value}'", "calibrate again with these options");
            if (seen.Min >= 0 && seen.Max <= 0)
                diagnostics.Add(new Diagnostic("SC3103", Severity.Warning, activation.Value, "is zero on every calibration picture"));
        }

        var found = new ActivationPlan[wanted.Count];
        Parallel.For(0, found.Length, parallel, i => found[i] = Activation(wanted[i], observed[wanted[i].Value], guidance));
        var activations = new SortedDictionary<string, ActivationPlan>(found.ToDictionary(a => a.Value), StringComparer.Ordinal);
        var layers = new LayerPlan[decisions.Count];
        var remarks = new List<Diagnostic>[decisions.Count];
        Parallel.For(0, layers.Length, parallel, i =>
        {
            remarks[i] = [];
            string input = decisions[i].Layer.Input.Name;
            layers[i] = PlanLayer(
                decisions[i].Layer, decisions[i].Execution, decisions[i].Why, activations.GetValueOrDefault(input), observed, remarks[i]);
        });

        IReadOnlyList<LayerPlan> all = attention?.Merge(layers) ?? layers;
        return new QuantizationPlan
        {
            Target = target.Name,
            Precision = options.Precision.Name,
            Activations = Used(activations.Values, all),
            Layers = all,
            Diagnostics = [.. diagnostics, .. remarks.SelectMany(d => d)],
        };
    }

    /// <summary>An activation to be quantized, with the layers that read it as integers.</summary>
    /// <param name="IsProbability">Whether it comes from the Softmax of an attention.</param>
    private sealed record WantedActivation(string Value, bool AtProducer, IReadOnlyList<QuantizableLayer> Readers, bool IsProbability = false);

    private List<WantedActivation> WantedActivations(IReadOnlyList<(QuantizableLayer Layer, LayerExecution Execution, string Why)> decisions, AttentionPlanner? attention)
    {
        var readers = new SortedDictionary<string, List<QuantizableLayer>>(StringComparer.Ordinal);
        var produced = new HashSet<string>(StringComparer.Ordinal);
        foreach ((QuantizableLayer layer, LayerExecution execution, _) in decisions)
        {
            if (execution != LayerExecution.Integer || (HasBlocks(layer) && options.Precision.OperatorQuantizesActivations))
                continue;
            if (!readers.TryGetValue(layer.Input.Name, out List<QuantizableLayer>? known))
                readers.Add(layer.Input.Name, known = []);
            known.Add(layer);
            if (target.Rule(layer) is { QuantizedOutput: true, ScalesOutputChannels: false } && produced.Add(layer.Node.Output.Name))
                readers.TryAdd(layer.Node.Output.Name, []);
        }

        foreach (ObservedValue factor in attention?.RequiredStatistics ?? [])
            readers.TryAdd(factor.Name, []);
        return [.. readers.Select(r => new WantedActivation(r.Key, produced.Contains(r.Key), r.Value, r.Value.Count == 0 && attention?.IsProbability(r.Key) == true))];
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
                yield return (layer, options.Precision.ActivationBits > 8 && rule.Execution == LayerExecution.Integer ? LayerExecution.WeightOnly : rule.Execution, Why(layer, rule));
        }
    }

    private bool HasBlocks(QuantizableLayer layer) => layer.Kind == LayerKind.Linear && options.Precision.WeightBlock > 0;

    private string Why(QuantizableLayer layer, LayerRule rule) => HasBlocks(layer) ? FewBits.Why : rule.Why;

    /// <summary>How the target takes blocks of few bits.</summary>
    /// <exception cref="SamCompressException">It does not.</exception>
    private FewBitsRule FewBits => target.FewBits is { } rule && (rule.IntegerActivations || !options.Precision.OperatorQuantizesActivations)
        ? rule
        : throw new SamCompressException(
            FailureKind.Unsupported,
            $"target {target.Name} cannot run {options.Precision.Name}",
            "choose another --precision or --target");

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

    /// <summary>For each activation whose scale is searched the best grids, the best one first, so that they can be judged by what comes of them.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<QuantizationGrid>> Candidates(Model model, CalibrationStatistics statistics, int count, SearchGuidance? guidance = null)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        var candidates = new SortedDictionary<string, IReadOnlyList<QuantizationGrid>>(StringComparer.Ordinal);
        foreach (WantedActivation wanted in WantedActivations(Decide(model).ToList(), null))
        {
            if (statistics.Find(wanted.Value) is { } seen && IsSearched(seen))
                candidates.Add(wanted.Value, Search(wanted, seen, guidance, count));
        }

        return candidates;
    }

    private bool IsSearched(ValueStatistics seen) => seen.Samples is { RowCount: > 0 } && options.Metric is SearchMetric.Mse or SearchMetric.Cosine or SearchMetric.Hessian;

    private (int Lowest, int Highest) Codes
    {
        get
        {
            int levels = 1 << options.Precision.ActivationBits;
            return target.SymmetricActivations ? (1 - (levels / 2), (levels / 2) - 1)
                : target.ActivationType == ElementType.Int8 ? (-levels / 2, (levels / 2) - 1)
                : (0, levels - 1);
        }
    }

    private IReadOnlyList<QuantizationGrid> Search(WantedActivation wanted, ValueStatistics seen, SearchGuidance? guidance, int count)
    {
        (int lowest, int highest) = Codes;
        return new ActivationSearch(seen.Samples!.Rows, Importance(wanted, seen.Samples.Channels, guidance), options.Metric)
            .Find(new ValueRange(Math.Min(0, seen.Min), Math.Max(0, seen.Max)), target.SymmetricActivations, lowest, highest, count);
    }

    private ActivationPlan Activation(WantedActivation wanted, ValueStatistics seen, SearchGuidance? guidance)
    {
        if (options.TwinRanges && Twin(wanted, seen, guidance) is { } found)
        {
            string range = string.Create(CultureInfo.InvariantCulture, $"two ranges: [{found.Twin.Below.Min:G4}, {found.Twin.Threshold:G4}] and up to {found.Twin.Threshold + found.Above.Max:G4} of [{seen.Min:G4}, {seen.Max:G4}] seen");
            return new ActivationPlan(wanted.Value, target.ActivationType, found.Above, wanted.AtProducer, range) { Twin = found.Twin };
        }

        QuantizationGrid grid;
        string by = options.Metric.ToString().ToLowerInvariant();
        if (guidance?.Grids.TryGetValue(wanted.Value, out QuantizationGrid judged) == true)
        {
            grid = judged;
            by += ", then by the masks";
        }
        else if (IsSearched(seen))
        {
            grid = Search(wanted, seen, guidance, 1)[0];
        }
        else
        {
            (int lowest, int highest) = Codes;
            ValueRange range = options.Estimator.Estimate(seen, highest - lowest + 1);
            grid = GridOf(range.Min, range.Max);
            by = options.Estimator.Name;
        }

        string why = string.Create(CultureInfo.InvariantCulture, $"{by}: [{grid.Min:G4}, {grid.Max:G4}] of [{seen.Min:G4}, {seen.Max:G4}] seen");
        return new ActivationPlan(wanted.Value, target.ActivationType, grid, wanted.AtProducer, why);
    }

    private QuantizationGrid GridOf(float min, float max)
    {
        (int lowest, int highest) = Codes;
        return target.SymmetricActivations ? QuantizationGrid.Symmetric(Math.Max(-min, max), highest) : QuantizationGrid.Affine(min, max, lowest, highest);
    }

    /// <summary>Two ranges where the values come from a Gelu or a Softmax and all that reads them can take two products; else null.</summary>
    private (QuantizationGrid Above, TwinRange Twin)? Twin(WantedActivation wanted, ValueStatistics seen, SearchGuidance? guidance)
    {
        if (wanted.AtProducer || target.SymmetricActivations || target.ActivationType != ElementType.UInt8)
            return null;
        if (wanted.IsProbability)
            return TwinSearch.Softmax(seen, options.Precision.ActivationBits);
        return wanted.Readers.Count > 0 && wanted.Readers.All(r => r.Kind == LayerKind.Linear) && IsSearched(seen) && TwinSearch.IsGelu(seen)
            ? TwinSearch.Gelu(seen, Importance(wanted, seen.Samples!.Channels, guidance), options.Metric, options.Precision.ActivationBits)
            : null;
    }

    private float[] Importance(WantedActivation wanted, int channels, SearchGuidance? guidance)
    {
        var importance = new float[channels];
        foreach (QuantizableLayer reader in wanted.Readers)
        {
            float[] own = new LayerQuantizer(reader, options).Importance(guidance?.Sensitivities.GetValueOrDefault(reader.Node.Output.Name));
            for (int k = 0; k < channels; k++)
                importance[k] += own[k];
        }

        if (importance.All(v => v == 0))
            Array.Fill(importance, 1);
        return importance;
    }

    private LayerPlan PlanLayer(
        QuantizableLayer layer,
        LayerExecution execution,
        string why,
        ActivationPlan? input,
        IReadOnlyDictionary<string, ValueStatistics> observed,
        List<Diagnostic> diagnostics)
    {
        var plan = new LayerPlan
        {
            Name = layer.Name,
            NodeOutput = layer.Node.Output.Name,
            Kind = layer.Kind,
            Execution = execution,
            Form = HasBlocks(layer) ? FewBits.Form : target.Rule(layer).Form,
            Why = why,
            Input = layer.Input.Name,
            WeightName = layer.WeightName,
            Bias = layer.Bias?.ToArray<float>(),
        };
        if (execution == LayerExecution.Float)
            return plan;
        float[] absoluteMax;
        using (TensorLease lease = layer.Weight.Open())
            absoluteMax = WeightQuantizer.AbsoluteMax(lease.As<float>(), ChannelLayout.Of(layer.Weight.Dimensions, layer.WeightAxis));
        if (!Array.TrueForAll(absoluteMax, float.IsFinite))
        {
            diagnostics.Add(new Diagnostic("SC3102", Severity.Warning, layer.WeightName, $"holds values that are not finite; {layer.Name} stays float"));
            return plan with { Execution = LayerExecution.Float, Why = "its weight holds values that are not finite" };
        }

        // Convolutions of four bits would lose more than they save: their weights are a small part of the model.
        bool keepsEight = options.Precision.WeightBits < 6 && layer.Kind != LayerKind.Linear;
        int highest = Math.Min(keepsEight ? Precision.W8A8.WeightHighest : options.Precision.WeightHighest, target.WeightHighest);
        int block = HasBlocks(layer) ? FewBits.BlockSize : 0;
        ValueStatistics? seen = observed.GetValueOrDefault(layer.Input.Name);
        int zeros = absoluteMax.Count(m => !float.IsNormal(m / highest));
        if (zeros > 0)
            diagnostics.Add(new Diagnostic("SC3101", Severity.Warning, layer.WeightName, $"{zeros} of {absoluteMax.Length} output channels of {layer.Name} are zero"));
        bool canCorrect = layer.Kind == LayerKind.Conv || (layer.Kind == LayerKind.Linear && (layer.Bias is not null || plan.Form == LayerForm.IntegerOperator));
        QuantizedWeight weight = new LayerQuantizer(layer, options with { CorrectBias = options.CorrectBias && canCorrect }, highest, block)
            .Quantize(execution == LayerExecution.Integer ? input?.Grid : null, seen?.Samples, seen?.ChannelMean);
        bool avoidsGemm = target.FusesLinearToGemm && plan.Form == LayerForm.Qdq;
        return plan with
        {
            WeightType = ElementType.Int8,
            WeightHighest = highest,
            WeightBlock = block,
            WeightScales = weight.Scales,
            WeightCodes = weight.Codes is null ? null : (ReadOnlyMemory<sbyte>?)weight.Codes,
            OutputGrids = execution == LayerExecution.Integer && target.Rule(layer) is { QuantizedOutput: true, ScalesOutputChannels: true } ? OutputGrids(layer, observed) : [],
            Bias = weight.Bias,
            BiasRank = avoidsGemm ? 3 : 1,
            AddsAxis = layer.Kind == LayerKind.Linear && avoidsGemm && weight.Bias is not null && RankOf(layer) == 2,
        };
    }

    /// <summary>The range of each channel as it was seen.</summary>
    private IReadOnlyList<QuantizationGrid> OutputGrids(QuantizableLayer layer, IReadOnlyDictionary<string, ValueStatistics> observed)
    {
        string name = layer.Node.Output.Name;
        if (!observed.TryGetValue(name, out ValueStatistics? seen) || seen.ChannelMin.Count != layer.OutputChannels)
            throw new SamCompressException(FailureKind.InputRejected, $"the calibration statistics hold nothing about the channels of '{name}'", "calibrate again with these options");
        return [.. seen.ChannelMin.Zip(seen.ChannelMax, GridOf)];
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
