namespace SamCompress.Passes.Quantization;

/// <summary>Takes layers out of a plan again.</summary>
public static class LayerReversal
{
    /// <summary>The plan in which some layers stay as they are, and with them the activations that only they need.</summary>
    /// <param name="why">The reason for which a layer is to stay float, or null when it is not.</param>
    public static QuantizationPlan Revert(this QuantizationPlan plan, Func<LayerPlan, string?> why)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(why);
        LayerPlan[] layers =
        [
            .. plan.Layers.Select(l => l.Execution != LayerExecution.Float && why(l) is { } reason ? l with { Execution = LayerExecution.Float, Why = reason } : l),
        ];
        var integer = layers.Where(l => l.Execution == LayerExecution.Integer).ToList();
        var inputs = integer.Select(l => l.Input).ToHashSet(StringComparer.Ordinal);
        var outputs = integer.Select(l => l.NodeOutput).ToHashSet(StringComparer.Ordinal);
        return plan with
        {
            Layers = layers,
            Activations =
            [
                .. plan.Activations.Select(a => a with { AtProducer = a.AtProducer && outputs.Contains(a.Value) }).Where(a => a.AtProducer || inputs.Contains(a.Value)),
            ],
        };
    }
}
