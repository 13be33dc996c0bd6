using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Passes.Pruning.Importance;

/// <summary>The norm of a channel's weights: sqrt(sum w^2), or sum |w|.</summary>
/// <param name="isL1">Whether it is the sum of magnitudes. Default: no.</param>
public sealed class MagnitudeImportance(bool isL1 = false) : WeightImportance
{
    public override string Name => "magnitude";

    private protected override double Term(ReadOnlySpan<float> weights, ReadOnlySpan<float> factors) => isL1 ? Tp.SumOfMagnitudes(weights) : Tp.SumOfSquares(weights);

    private protected override double Finish(double sum) => isL1 ? sum : Math.Sqrt(sum);
}
