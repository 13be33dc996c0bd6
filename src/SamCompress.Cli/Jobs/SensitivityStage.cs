using SamCompress.IR;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Quantization;

namespace SamCompress.Cli.Jobs;

/// <summary>What a layer costs when it alone is quantized.</summary>
/// <param name="MeanIou">Of the masks against those of the float model; null without a decoder.</param>
/// <param name="EmbeddingSqnr">In dB; null when no bit of an embedding changes.</param>
/// <param name="Macs">Multiply-accumulate operations of a run; null when a shape is not known.</param>
public sealed record MeasuredLayer(string Name, string NodeOutput, LayerKind Kind, double? MeanIou, double? EmbeddingSqnr, long Parameters, long? Macs)
{
    public double? IouLoss => 1 - MeanIou;
}

/// <summary>Measures how much masks suffer when one layer at a time is quantized.</summary>
internal sealed class SensitivityStage(PlanJudge judge, IJobProgress progress, CancellationToken cancellation)
{
    /// <param name="prepared">The model that the plan is of.</param>
    /// <param name="known">Layers measured before, which are not measured again.</param>
    /// <param name="onMeasured">Told of all layers measured so far, after each one.</param>
    /// <returns>The most sensitive layer first: by loss of IoU, then by noise.</returns>
    public IReadOnlyList<MeasuredLayer> Run(Model prepared, QuantizationPlan plan, IReadOnlyList<MeasuredLayer>? known = null, Action<IReadOnlyList<MeasuredLayer>>? onMeasured = null)
    {
        LayerPlan[] layers = [.. plan.Layers.Where(l => l.Execution != LayerExecution.Float)];
        Dictionary<string, QuantizableLayer> found = LayerFinder.Find(prepared.Graph).ToDictionary(l => l.Node.Output.Name, StringComparer.Ordinal);
        Dictionary<string, MeasuredLayer> before = (known ?? []).ToDictionary(l => l.NodeOutput, StringComparer.Ordinal);
        var measured = new List<MeasuredLayer>();
        foreach (LayerPlan layer in layers)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!before.TryGetValue(layer.NodeOutput, out MeasuredLayer? result))
            {
                PlanVerdict verdict = judge.Judge(plan.Revert(l => l.NodeOutput == layer.NodeOutput ? null : "not the layer that is measured"), cancellation);
                QuantizableLayer source = found[layer.NodeOutput];
                result = new MeasuredLayer(
                    layer.Name, layer.NodeOutput, layer.Kind, verdict.MeanIou, verdict.EmbeddingSqnr, source.Weight.Count + (source.Bias?.Count ?? 0), CostModel.MacsOf(source.Node));
            }

            measured.Add(result);
            onMeasured?.Invoke(measured);
            progress.Advance(measured.Count, layers.Length, "layers");
        }

        return
        [
            .. measured.OrderByDescending(l => l.IouLoss ?? 0).ThenBy(l => l.EmbeddingSqnr ?? double.PositiveInfinity).ThenBy(l => l.Name, StringComparer.Ordinal),
        ];
    }
}
