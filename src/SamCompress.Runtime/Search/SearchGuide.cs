using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Search;

/// <summary>
/// Learns about the scales of an encoder by running it up to the masks. There are no gradients in it: the plain gradient of the divergence is zero where
/// student and teacher agree, so errors are put in and their effect is measured.
/// </summary>
/// <param name="decoder">The float decoder.</param>
/// <param name="pictures">Loaded pictures; a few.</param>
public sealed class SearchGuide(MaskDecoder decoder, IReadOnlyList<EncoderImage> pictures, SessionSettings settings)
{
    /// <summary>The output channels of a layer are probed in so many groups, neighbours together.</summary>
    private const int Groups = 8;

    /// <summary>Of the noise, as a part of what the layer gives.</summary>
    private const double NoiseShare = 0.1;

    /// <summary>Elements of a layer's input from which the power of its outputs is computed.</summary>
    private const int PowerRows = 128;

    /// <summary>
    /// For each Linear and each output channel what a squared error there adds to the divergence of the masks: 2 KL / e^2, with signs +e and -e drawn
    /// for all elements of a group of channels. That is the diagonal of the Hessian, averaged over the group, by finite differences.
    /// </summary>
    /// <param name="model">Prepared; it stays as it is.</param>
    public IReadOnlyDictionary<string, IReadOnlyList<float>> Sensitivities(
        Model model, CalibrationStatistics statistics, Action<int, int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        QuantizableLayer[] layers = [.. LayerFinder.Find(model.Graph).Where(l => l.Kind == LayerKind.Linear && l.Output.Shape?.ToStatic() is not null && statistics.Find(l.Input.Name)?.Samples is { RowCount: > 0 })];
        using Model changed = ModelCopy.Of(model);
        using var probe = new ScaleProbe(changed, [], layers.Select(l => l.Node.Output.Name), settings);
        MaskDivergence[] divergences = Divergences(probe, NoGrids, cancellation);
        var found = new Dictionary<string, IReadOnlyList<float>>(StringComparer.Ordinal);
        for (int i = 0; i < layers.Length; i++)
        {
            found.Add(layers[i].Node.Output.Name, Sensitivity(probe, layers[i], statistics.Find(layers[i].Input.Name)!.Samples!, divergences, cancellation));
            progress?.Invoke(i + 1, layers.Length);
        }

        return found;
    }

    /// <summary>Judges the candidates of each activation, in graph order, by the divergence of the masks with all other activations quantized.</summary>
    /// <param name="candidates">The best one by its local error first; see <see cref="QuantizationPlanner.Candidates"/>.</param>
    /// <param name="until">When to stop; the activations that are left keep their first candidate.</param>
    /// <returns>The chosen grids.</returns>
    public IReadOnlyDictionary<string, QuantizationGrid> Rerank(
        Model model, IReadOnlyDictionary<string, IReadOnlyList<QuantizationGrid>> candidates, Func<bool>? until = null, Action<int, int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(candidates);
        Dictionary<string, QuantizationGrid> chosen = candidates.ToDictionary(c => c.Key, c => c.Value[0], StringComparer.Ordinal);
        using Model changed = ModelCopy.Of(model);
        using var probe = new ScaleProbe(changed, candidates.Keys, [], settings);
        using Model plain = ModelCopy.Of(model);
        using var teacher = new ScaleProbe(plain, [], [], settings);
        MaskDivergence[] divergences = Divergences(teacher, NoGrids, cancellation);
        string[] order = [.. model.Graph.Inputs.Concat(model.Graph.Nodes.SelectMany(n => n.Outputs)).OfType<Value>().Select(v => v.Name).Where(candidates.ContainsKey)];
        double best = Divergence(probe, chosen, null, divergences, cancellation);
        for (int i = 0; i < order.Length && until?.Invoke() != true; i++)
        {
            foreach (QuantizationGrid candidate in candidates[order[i]].Skip(1))
            {
                QuantizationGrid present = chosen[order[i]];
                chosen[order[i]] = candidate;
                double divergence = Divergence(probe, chosen, null, divergences, cancellation);
                if (divergence < best)
                    best = divergence;
                else
                    chosen[order[i]] = present;
            }

            progress?.Invoke(i + 1, order.Length);
        }

        return chosen;
    }

    private static Dictionary<string, QuantizationGrid> NoGrids => [];

    private IReadOnlyList<float> Sensitivity(ScaleProbe probe, QuantizableLayer layer, ActivationSamples samples, MaskDivergence[] divergences, CancellationToken cancellation)
    {
        string name = layer.Node.Output.Name;
        int channels = layer.OutputChannels, groups = Math.Min(Groups, channels);
        double[] power = OutputPower.Of(layer, samples, PowerRows);
        var sensitivity = new float[channels];
        long[] shape = layer.Output.Shape!.ToStatic()!;
        var elements = new float[shape.Aggregate(1L, (product, d) => product * d)];
        for (int g = 0; g < groups; g++)
        {
            int start = channels * g / groups, end = channels * (g + 1) / groups;
            double size = NoiseShare * Math.Sqrt(power[start..end].Average());
            if (size == 0)
                continue;
            var random = new Random(g);
            for (int i = 0; i < elements.Length; i++)
                elements[i] = i % channels >= start && i % channels < end ? (float)(random.Next(2) == 0 ? size : -size) : 0;
            double divergence = Divergence(probe, NoGrids, (name, elements, shape), divergences, cancellation);
            sensitivity.AsSpan(start, end - start).Fill((float)(2 * divergence / (size * size * (end - start))));
        }

        return sensitivity;
    }

    private MaskDivergence[] Divergences(ScaleProbe probe, Dictionary<string, QuantizationGrid> grids, CancellationToken cancellation)
    {
        var result = new MaskDivergence[pictures.Count];
        for (int i = 0; i < result.Length; i++)
        {
            using RuntimeTensors outputs = probe.Run(pictures[i].Input, grids, null, cancellation);
            result[i] = new MaskDivergence(decoder, Named(probe, outputs), pictures[i].Width, pictures[i].Height, cancellation);
        }

        return result;
    }

    private double Divergence(
        ScaleProbe probe, Dictionary<string, QuantizationGrid> grids, (string Layer, float[] Elements, long[] Shape)? noise, MaskDivergence[] divergences, CancellationToken cancellation)
    {
        double sum = 0;
        for (int i = 0; i < divergences.Length; i++)
        {
            using RuntimeTensors outputs = probe.Run(pictures[i].Input, grids, noise, cancellation);
            sum += divergences[i].Of(Named(probe, outputs), cancellation);
        }

        return sum / divergences.Length;
    }

    /// <summary>The outputs by the names that the decoder reads; encoders exported by hand call their embeddings anything.</summary>
    private static Dictionary<string, RuntimeTensor> Named(ScaleProbe probe, RuntimeTensors outputs)
    {
        var named = new Dictionary<string, RuntimeTensor>(outputs, StringComparer.Ordinal);
        named.TryAdd(DecoderInterface.ImageEmbeddings, outputs[probe.EmbeddingsOutput]);
        return named;
    }
}
