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

    /// <summary>
    /// How far beyond what was seen other pictures are expected to go, as a share of a channel's range to each side. Channels of equal range are clipped together,
    /// where one wide channel had left room for the others; so channels of good models are evened out less.
    /// </summary>
    public double Overshoot { get; init; } = 0.3;

    /// <summary>How many of a channel's values go as far as <see cref="Overshoot"/> says.</summary>
    public double OvershootShare { get; init; } = 0.001;

    /// <summary>
    /// The share by which the estimated error must fall. Estimates do not know which values matter: where they promise little, the sample mask decoder
    /// got worse as often as better.
    /// </summary>
    public double LeastGain { get; init; } = 0.3;

    /// <summary>
    /// Whether heads are evened out where the logits are scaled by a constant, which then gets one element for each head. Off by default: ONNX Runtime
    /// folds only a scalar into the product in front, and a factor apart costs one more pass over the logits.
    /// </summary>
    public bool EqualizeHeads { get; init; }
}
