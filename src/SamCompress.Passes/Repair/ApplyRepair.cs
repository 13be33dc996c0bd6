using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Repair;

/// <summary>Gives layers the weights and biases of a plan: Linear(x; W0, b0) => Linear(x; W, b), and the same for pointwise convolutions.</summary>
/// <remarks>Decides nothing. A layer without bias gets one. What other nodes read of a weight stays as it is.</remarks>
public sealed class ApplyRepair(RepairPlan plan) : Pass
{
    /// <exception cref="InvariantException">A layer of the plan is not in the model, or has another size.</exception>
    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        foreach (LayerRepair repair in plan.Layers.Where(r => r.IsKept))
        {
            QuantizableLayer layer = LayerFinder.Find(model.Graph).FirstOrDefault(l => l.Name == repair.Layer && RepairableLayer.Refusal(l) is null)
                ?? throw new InvariantException($"the model has no layer '{repair.Layer}' to repair");
            if (repair.Map!.Bias.Length != layer.OutputChannels || repair.Map.Weight.Length != layer.InputChannels * layer.OutputChannels)
                throw new InvariantException($"the repair of '{repair.Layer}' has another size than the layer");
            if (!context.Step(layer.Node, string.Create(CultureInfo.InvariantCulture, $"refit, error {repair.ErrorBefore:G3} to {repair.ErrorAfter:G3}")))
                break;
            RepairableLayer.Write(model, layer, repair.Map);
            changes++;
        }

        return changes;
    }
}
