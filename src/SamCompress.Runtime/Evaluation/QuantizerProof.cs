using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;

namespace SamCompress.Runtime.Evaluation;

/// <summary>A quantizer that does not act.</summary>
/// <param name="Name">The value or weight.</param>
public sealed record DeadQuantizer(string Name, string Reason);

/// <summary>How many quantizers of an artifact act.</summary>
public sealed record QuantizerProofResult(int Activations, int ActingActivations, int Weights, int ActingWeights, IReadOnlyList<DeadQuantizer> Dead);

/// <summary>
/// Shows of each quantizer in an artifact that it acts, by running it in ONNX Runtime with the multiplication that reads it, cut out of the artifact:
/// a change of the input within a step must not change a bit of the result, one of a whole step must, and values beyond the range must all give the same.
/// On real inputs the codes must differ and the range must hold most values. A weight must have channels of several codes, and another code must change the result.
/// </summary>
/// <param name="settings">Of the deployed model: what its rewrites do to a quantizer is part of the proof.</param>
public sealed class QuantizerProof(SessionSettings? settings = null)
{
    /// <summary>As a part of a step; less than half of it.</summary>
    private const double WithinStep = 0.3;

    /// <summary>More values beyond the range, as a part of all, and it is the range that is seen and not the value.</summary>
    private const double MostBeyond = 0.5;

    private readonly SessionSettings _settings = (settings ?? SessionSettings.Default) with { OptimizedModelPath = null };

    /// <param name="open">Opens the artifact; called several times, for copies that are changed and thrown away.</param>
    /// <param name="plan">What must be there; null to look only at what is.</param>
    /// <param name="samples">Real inputs of the artifact, of which codes are counted; null or empty leaves that out.</param>
    /// <exception cref="SamCompressException">ONNX Runtime refuses the artifact.</exception>
    public QuantizerProofResult Run(Func<Model> open, QuantizationPlan? plan, IEnumerable<CalibrationSample>? samples, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(open);
        var findings = new Findings();
        using (Model model = open())
        {
            foreach ((Node quantize, QuantizerNode? found) in QuantizedParts.Quantizers(model.Graph))
                findings.Activations.Add(quantize.Output.Name, (quantize.Input(0)!.Name, found is null ? "its scale is no constant number" : null));
            foreach (WeightNode weight in QuantizedParts.Weights(model.Graph))
                findings.Weights.TryAdd(weight.Weight.Name, FlatChannels(weight));
            if (plan is not null)
                FindMissing(model.Graph, plan, findings);
        }

        Dictionary<string, byte[]> results;
        using (Model model = open())
        using (var probe = new ArtifactProbe(model, _settings))
            results = ProbeActivations(probe, findings, cancellation);
        using (Model model = open())
            ProbeWeights(model, results, findings, cancellation);
        if (samples is not null)
        {
            using Model model = open();
            CountCodes(model, samples, findings, cancellation);
        }

        return findings.Result();
    }

    /// <summary>Null when the channels hold several codes.</summary>
    private static string? FlatChannels(WeightNode weight)
    {
        Tensor tensor = weight.Weight.Constant!;
        if (tensor.ElementType.BitWidth() != 8)
            return null;
        int channels = (int)tensor.Dimensions[weight.ChannelAxis];
        long inner = tensor.Dimensions.Skip(weight.ChannelAxis + 1).Aggregate(1L, (product, d) => product * d);
        Span<int> first = new int[channels];
        first.Fill(-1);
        Span<bool> varies = new bool[channels];
        using TensorLease lease = tensor.Open();
        ReadOnlySpan<byte> codes = lease.Bytes;
        for (int i = 0; i < codes.Length; i++)
        {
            int channel = (int)(i / inner % channels);
            if (first[channel] < 0)
                first[channel] = codes[i];
            else
                varies[channel] |= first[channel] != codes[i];
        }

        // Packed codes lie several to a byte: one byte may be a whole channel.
        int flat = varies.Count(false);
        return flat * 2 > channels && codes.Length > channels ? $"{flat} of {channels} channels hold a single code" : null;
    }

    private static void FindMissing(Graph graph, QuantizationPlan plan, Findings findings)
    {
        var quantized = graph.Nodes.Where(n => n.OpType == "QuantizeLinear").SelectMany(QuantizedParts.Sources).ToHashSet(StringComparer.Ordinal);
        foreach (ActivationPlan activation in plan.Activations.Where(a => !quantized.Contains(a.Value)))
            findings.Activations[activation.Value] = (activation.Value, "the artifact has no quantizer of it");
        WeightNode[] weights = [.. QuantizedParts.Weights(graph)];
        foreach (LayerPlan layer in plan.Layers.Where(l => l.Execution != LayerExecution.Float))
        {
            WeightNode? weight = weights.FirstOrDefault(w => IsOf(w, layer));
            if (weight is null)
                findings.Weights[layer.WeightName] = "the artifact has no quantized weight of it";
            else if (layer is { Execution: LayerExecution.Integer, WeightBlock: 0 } && !QuantizedParts.TakesQuantized(weight.Multiply))
                findings.Activations.TryAdd($"{layer.Input} of {layer.Name}", (layer.Input, $"{layer.Name} reads it as it was before its quantizer"));
        }
    }

    private static bool IsOf(WeightNode weight, LayerPlan layer) =>
        weight.Weight.Name.StartsWith(layer.WeightName, StringComparison.Ordinal)
        || weight.Multiply.Name == layer.Name
        || weight.Multiply.Output.Name.StartsWith(layer.NodeOutput, StringComparison.Ordinal);

    private static Dictionary<string, byte[]> ProbeActivations(ArtifactProbe probe, Findings findings, CancellationToken cancellation)
    {
        Dictionary<string, byte[]> middle = probe.Run((q, i) => q.Value(Code(q, i)), cancellation);
        Dictionary<string, byte[]> above = probe.Run((q, i) => q.Value(Code(q, i) + WithinStep), cancellation);
        Dictionary<string, byte[]> below = probe.Run((q, i) => q.Value(Code(q, i) - WithinStep), cancellation);
        Dictionary<string, byte[]> next = probe.Run((q, i) => q.Value(Code(q, i) + (i % 2)), cancellation);
        Dictionary<string, byte[]> over = probe.Run((q, _) => q.Value(q.Highest + 3), cancellation), farOver = probe.Run((q, _) => q.Value(q.Highest + 300), cancellation);
        Dictionary<string, byte[]> under = probe.Run((q, _) => q.Value(q.Lowest - 3), cancellation), farUnder = probe.Run((q, _) => q.Value(q.Lowest - 300), cancellation);
        foreach ((QuantizerNode quantizer, IReadOnlyList<string> outputs) in probe.Quantizers)
        {
            string? reason =
                !outputs.All(o => Same(o, middle, above) && Same(o, middle, below)) ? "a change within a step changes the result: the value is not rounded"
                : !outputs.All(o => !Same(o, middle, next)) ? "a change of a step changes nothing"
                : !outputs.All(o => Same(o, over, farOver) && Same(o, under, farUnder)) ? "values beyond the range are not cut off"
                : null;
            findings.Blame(quantizer.Quantize.Output.Name, reason);
        }

        return middle;

        static bool Same(string output, Dictionary<string, byte[]> a, Dictionary<string, byte[]> b) => a[output].AsSpan().SequenceEqual(b[output]);
    }

    /// <summary>A code near the middle of the range, another one for each element and never that of zero.</summary>
    private static int Code(QuantizerNode quantizer, int element)
    {
        int middle = Math.Clamp(quantizer.ZeroPoint, Math.Min(quantizer.Lowest + 5, quantizer.Highest), Math.Max(quantizer.Highest - 5, quantizer.Lowest));
        int offset = (element * 7 % 4) + 1;
        return middle + (element * 5 % 3 == 0 ? -offset : offset);
    }

    private void ProbeWeights(Model model, Dictionary<string, byte[]> before, Findings findings, CancellationToken cancellation)
    {
        foreach (WeightNode weight in QuantizedParts.Weights(model.Graph).DistinctBy(w => w.Weight.Name, StringComparer.Ordinal).ToArray())
            model.Graph.SetInitializer(weight.Weight, OtherCodes(weight));
        using var probe = new ArtifactProbe(model, _settings);
        Dictionary<string, byte[]> after = probe.Run((q, i) => q.Value(Code(q, i)), cancellation);
        foreach ((WeightNode weight, string output) in probe.Weights)
        {
            if (before[output].AsSpan().SequenceEqual(after[output]))
                findings.BlameWeight(weight.Weight.Name, "another code changes nothing");
        }

        foreach (string name in findings.Weights.Keys.Except(probe.Weights.Select(w => w.Weight.Weight.Name)).Where(n => findings.Weights[n] is null).ToArray())
            findings.BlameWeight(name, "it could not be run alone");
    }

    /// <summary>The weight with the first code of each output channel moved by one; all codes where they are packed.</summary>
    private static Tensor OtherCodes(WeightNode weight)
    {
        Tensor tensor = weight.Weight.Constant!;
        long channels = tensor.Dimensions[weight.ChannelAxis];
        long inner = tensor.Dimensions.Skip(weight.ChannelAxis + 1).Aggregate(1L, (product, d) => product * d);
        return Tensor.Lazy(tensor.ElementType, tensor.Dimensions.AsSpan(), bytes =>
        {
            using TensorLease lease = tensor.Open();
            lease.Bytes.CopyTo(bytes);
            if (tensor.ElementType.BitWidth() != 8)
            {
                foreach (ref byte codes in bytes)
                    codes ^= 0x11;
                return;
            }

            byte highest = tensor.ElementType == ElementType.Int8 ? (byte)sbyte.MaxValue : byte.MaxValue;
            for (long channel = 0; channel < channels; channel++)
            {
                ref byte code = ref bytes[(int)(channel * inner)];
                code = weight.Multiply.OpType == "MatMulNBits" ? (byte)(code ^ 1) : (byte)(code == highest ? code - 1 : code + 1);
            }
        });
    }

    private void CountCodes(Model model, IEnumerable<CalibrationSample> samples, Findings findings, CancellationToken cancellation)
    {
        CodeCount[] counts = [.. QuantizedParts.Quantizers(model.Graph).Where(q => q.Found is not null).Select(q => q.Found!).ToArray().Select(q => CodeCount.AddTo(model, q))];
        if (counts.Length == 0)
            return;
        string[] outputs = [.. counts.SelectMany(c => (string[])[c.Least, c.Most, c.Beyond])];
        using OnnxSession session = OnnxSession.Open(model, _settings);
        int runs = 0;
        foreach (CalibrationSample sample in samples)
        {
            using (sample)
            using (RuntimeTensors results = session.Run(sample.Inputs, outputs, cancellation))
            {
                foreach (CodeCount count in counts)
                    count.Add(results);
            }

            runs++;
        }

        if (runs == 0)
            return;
        foreach (CodeCount count in counts)
            findings.Blame(count.Quantizer, count.Verdict(runs));
    }

    /// <summary>By the name of what makes it unique; the reason is null while nothing speaks against it.</summary>
    private sealed class Findings
    {
        public SortedDictionary<string, (string Value, string? Reason)> Activations { get; } = new(StringComparer.Ordinal);

        public SortedDictionary<string, string?> Weights { get; } = new(StringComparer.Ordinal);

        public void Blame(string quantizer, string? reason) =>
            Activations[quantizer] = Activations[quantizer] with { Reason = Activations[quantizer].Reason ?? reason };

        public void BlameWeight(string weight, string reason) => Weights[weight] ??= reason;

        public QuantizerProofResult Result() => new(
            Activations.Count,
            Activations.Values.Count(a => a.Reason is null),
            Weights.Count,
            Weights.Values.Count(r => r is null),
            [
                .. Activations.Values.Where(a => a.Reason is not null).Select(a => new DeadQuantizer(a.Value, a.Reason!)),
                .. Weights.Where(w => w.Value is not null).Select(w => new DeadQuantizer(w.Key, w.Value!)),
            ]);
    }

    /// <summary>The codes of one quantizer over all samples, counted inside the graph.</summary>
    private sealed class CodeCount
    {
        private long _least = long.MaxValue;
        private long _most = long.MinValue;
        private double _beyond;

        private CodeCount(string quantizer, string least, string most, string beyond)
        {
            Quantizer = quantizer;
            Least = least;
            Most = most;
            Beyond = beyond;
        }

        public string Quantizer { get; }

        public string Least { get; }

        public string Most { get; }

        public string Beyond { get; }

        public static CodeCount AddTo(Model model, QuantizerNode quantizer)
        {
            Graph graph = model.Graph;
            Value codes = Add("Cast", [quantizer.Quantize.Output], ElementType.Int32, NodeAttribute.Of("to", (long)ElementType.Int32));
            Value least = Add("ReduceMin", [codes], ElementType.Int32, NodeAttribute.Of("keepdims", 0L)), most = Add("ReduceMax", [codes], ElementType.Int32, NodeAttribute.Of("keepdims", 0L));
            Value over = Add("Greater", [quantizer.Source, Bound(quantizer.Highest + 0.5)], ElementType.Bool), under = Add("Less", [quantizer.Source, Bound(quantizer.Lowest - 0.5)], ElementType.Bool);
            Value beyond = Add("Cast", [Add("Or", [over, under], ElementType.Bool)], ElementType.Float, NodeAttribute.Of("to", (long)ElementType.Float));
            Value share = Add("ReduceMean", [beyond], ElementType.Float, NodeAttribute.Of("keepdims", 0L));
            foreach (Value output in (Value[])[least, most, share])
                graph.AddOutput(output);
            return new CodeCount(quantizer.Quantize.Output.Name, least.Name, most.Name, share.Name);

            Value Bound(double code) => graph.AddInitializer(graph.FreshName("samcompress_bound"), Tensor.Scalar(quantizer.Value(code)));

            Value Add(string opType, IReadOnlyList<Value?> inputs, ElementType type, params NodeAttribute[] attributes)
            {
                Value output = graph.Append(opType, inputs, [graph.FreshName("samcompress_codes")], attributes).Output;
                output.ElementType = type;
                return output;
            }
        }

        public void Add(RuntimeTensors results)
        {
            _least = Math.Min(_least, results[Least].As<int>()[0]);
            _most = Math.Max(_most, results[Most].As<int>()[0]);
            _beyond += results[Beyond].As<float>()[0];
        }

        public string? Verdict(int runs) =>
            _least == _most ? $"all values seen fall on one code, {_least}"
            : _beyond / runs > MostBeyond ? string.Create(CultureInfo.InvariantCulture, $"{_beyond / runs:P0} of the values seen lie beyond its range")
            : null;
    }
}
