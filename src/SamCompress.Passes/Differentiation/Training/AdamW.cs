using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Differentiation.Training;

/// <summary>The three tensors of AdamW for one weight.</summary>
internal sealed record AdamState(Value Weight, Value First, Value Second);

/// <summary>
/// AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", algorithm 2), for the number t of the update, the rate η and the decay λ:
/// m = β₁ m + (1 - β₁) g, v = β₂ v + (1 - β₂) g², w = (1 - η λ) w - η m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + ε).
/// </summary>
/// <remarks>
/// Each operator is a pass over the weights through memory. The moments are therefore kept without the factors 1 - β, which together with the corrections
/// become one factor of the rate and one of ε: M = β₁ M + g, V = β₂ V + g², w = (1 - η λ) w - η (1 - β₁) / ((1 - β₁ᵗ) r) M / (√V + ε / r), r = √((1 - β₂) / (1 - β₂ᵗ)).
/// These factors are computed in double: 1 - 0.999 has three digits less in float.
/// </remarks>
internal sealed class AdamW
{
    private readonly Value _beta1;
    private readonly Value _beta2;
    private readonly Value _rate;
    private readonly Value _epsilon;
    private readonly Value _remains;
    private readonly bool _decays;

    /// <param name="graph">Where the factors are computed.</param>
    /// <param name="learningRate">Of double.</param>
    /// <param name="update">Of int64, from 1.</param>
    /// <param name="gradientFactor">By how much the gradients are greater than those meant: the number of pictures that were summed up.</param>
    public AdamW(GraphBuilder graph, TrainingOptions options, Value learningRate, Value update, int gradientFactor)
    {
        Value one = Double(1), t = graph.Cast(update, ElementType.Double);
        Value correction1 = graph.Sub(one, graph.Op("Pow", [Double(options.Beta1), t]));
        Value correction2 = graph.Sub(one, graph.Op("Pow", [Double(options.Beta2), t]));
        Value root = graph.Op("Sqrt", [graph.Div(Double(1 - options.Beta2), correction2)]);
        Value rate = graph.Div(graph.Mul(learningRate, Double(1 - options.Beta1)), graph.Mul(correction1, root));
        _rate = graph.Cast(rate, ElementType.Float);
        _epsilon = graph.Cast(graph.Div(Double(options.Epsilon * gradientFactor), root), ElementType.Float);
        _remains = graph.Cast(graph.Sub(one, graph.Mul(learningRate, Double(options.WeightDecay))), ElementType.Float);
        _beta1 = graph.Constant((float)options.Beta1);
        _beta2 = graph.Constant((float)options.Beta2);
        _decays = options.WeightDecay != 0;

        Value Double(double value) => graph.Constant(Tensor.Of(ElementType.Double, new ReadOnlySpan<double>(in value), []));
    }

    /// <summary>One update of one weight.</summary>
    /// <param name="graph">May be of a branch inside the graph of the factors.</param>
    /// <param name="decays">Whether weight decay is for this weight.</param>
    public AdamState Update(GraphBuilder graph, AdamState state, Value gradient, bool decays)
    {
        Value first = graph.Add(graph.Mul(state.First, _beta1), gradient);
        Value second = graph.Add(graph.Mul(state.Second, _beta2), graph.Mul(gradient, gradient));
        Value direction = graph.Div(first, graph.Add(graph.Op("Sqrt", [second]), _epsilon));
        Value remaining = _decays && decays ? graph.Mul(state.Weight, _remains) : state.Weight;
        return new AdamState(graph.Sub(remaining, graph.Mul(direction, _rate)), first, second);
    }
}
