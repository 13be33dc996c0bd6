using SamCompress.IR;

namespace SamCompress.Passes.Pruning.Importance;

/// <summary>Importance by weights and what was collected of their gradients over pictures.</summary>
/// <param name="gradients">By the name of the initializer, in its shape: sums over pictures.</param>
public abstract class GradientImportance(IReadOnlyDictionary<string, Tensor> gradients) : WeightImportance
{
    /// <exception cref="InvariantException">There is no gradient of the weight, or it has another shape.</exception>
    private protected override float[] FactorOf(ChannelMember layer)
    {
        if (!gradients.TryGetValue(layer.Initializer, out Tensor? gradient) || !gradient.Dimensions.AsSpan().SequenceEqual(layer.Tensor.Dimensions.AsSpan()))
            throw new InvariantException($"there is no gradient of '{layer.Initializer}' in its shape");
        return gradient.ToArray<float>();
    }
}

/// <summary>
/// sum |w G| with the signed sum G of gradients of a loss: how much the loss changes to first order when the channel goes. Disturbed, when the label is the teacher's own answer
/// plus noise, which needs no labels. Source: algorithms.md 3.3.
/// </summary>
/// <param name="isDisturbed">Where the gradients come from; the formula is the same.</param>
public sealed class TaylorImportance(IReadOnlyDictionary<string, Tensor> gradients, bool isDisturbed) : GradientImportance(gradients)
{
    public override string Name => isDisturbed ? "disturbed-taylor" : "taylor";

    private protected override double Term(ReadOnlySpan<float> weights, ReadOnlySpan<float> factors)
    {
        double sum = 0;
        for (int i = 0; i < weights.Length; i++)
            sum += Math.Abs((double)weights[i] * factors[i]);
        return sum;
    }
}

/// <summary>sum w^2 F with the sum F of squared gradients, the diagonal of the Fisher information: the change of the loss to second order.</summary>
/// <param name="squares">Sums of squared gradients, by the name of the initializer.</param>
public sealed class HessianImportance(IReadOnlyDictionary<string, Tensor> squares) : GradientImportance(squares)
{
    public override string Name => "hessian";

    private protected override double Term(ReadOnlySpan<float> weights, ReadOnlySpan<float> factors)
    {
        double sum = 0;
        for (int i = 0; i < weights.Length; i++)
            sum += (double)weights[i] * weights[i] * factors[i];
        return sum;
    }
}
