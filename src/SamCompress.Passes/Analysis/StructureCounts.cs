namespace SamCompress.Passes.Analysis;

/// <summary>What a model is made of, at the level of modules: a fused operator counts as what an exporter's many nodes count.</summary>
public sealed record StructureCounts
{
    public required int Softmax { get; init; }

    /// <summary>Products of two activations that feed each other or a Softmax, or are fed by one; a fused attention has two.</summary>
    public required int AttentionProducts { get; init; }

    /// <summary>Products of two activations that are no attention: a mask decoder has one, of hyper-network outputs and features.</summary>
    public required int OtherProducts { get; init; }

    public required int RelativePositions { get; init; }

    /// <summary>Products with a constant that are neither relative positions nor positional codes.</summary>
    public required int Linear { get; init; }

    /// <summary>Products with a constant that become the angle of a sine: the code of a prompt's coordinates.</summary>
    public required int PositionalCodes { get; init; }

    /// <summary>Layer normalizations over the last axis.</summary>
    public required int LayerNormalizations { get; init; }

    /// <summary>Layer normalizations over the channels of a map [N,C,H,W].</summary>
    public required int ChannelNormalizations { get; init; }

    public required int Gelu { get; init; }

    public required int Relu { get; init; }

    public required int Convolutions { get; init; }

    public required int TransposedConvolutions { get; init; }

    /// <summary>Paddings of height and width that are cropped again.</summary>
    public required int WindowPads { get; init; }

    public required int Resize { get; init; }
}
