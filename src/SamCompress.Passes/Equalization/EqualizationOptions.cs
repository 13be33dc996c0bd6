namespace SamCompress.Passes.Equalization;

/// <summary>What equalized values and weights will be quantized to; decides how strongly channels are evened out.</summary>
public sealed record EqualizationOptions
{
    public static EqualizationOptions Default { get; } = new();

    /// <summary>How many values an activation can take: 256 or 64.</summary>
    public int ActivationLevels { get; init; } = 256;

    /// <summary>Whether activations have zero point 0, as TensorRT wants it.</summary>
    public bool SymmetricActivations { get; init; }

    /// <summary>The largest quantized weight: 127 for 8 bits, 31 for 6, 7 for 4.</summary>
    public int WeightHighest { get; init; } = 127;

    /// <summary>The share by which the estimated error must fall, so that a graph is not changed for nothing.</summary>
    public double LeastGain { get; init; } = 0.02;

    /// <summary>
    /// Whether heads are evened out where the logits are scaled by a constant, which then gets one element for each head. Off by default: ONNX Runtime
    /// folds only a scalar into the product in front, and a factor apart costs one more pass over the logits.
    /// </summary>
    public bool EqualizeHeads { get; init; }
}
