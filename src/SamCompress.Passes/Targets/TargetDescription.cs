using System.Text.Json;
using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Targets;

/// <summary>How a target runs a kind of layer.</summary>
/// <param name="Execution">The best that it can do.</param>
/// <param name="QuantizedOutput">Whether its integer kernel also wants its output quantized.</param>
/// <param name="Why">Ends in the plan.</param>
public sealed record LayerRule(LayerExecution Execution, bool QuantizedOutput, string Why)
{
    /// <summary>The operators to write.</summary>
    public LayerForm Form { get; init; }

    /// <summary>Whether a quantized output gets a scale for each channel, by a Mul behind it, rather than one for all.</summary>
    public bool ScalesOutputChannels { get; init; }
}

/// <summary>How a target takes 4-bit weights of a Linear, which have a scale for each block of inputs.</summary>
/// <param name="Form">MatMulNBits, or DequantizeLinear of 4-bit numbers with a block size (opset 21).</param>
/// <param name="BlockSize">How many inputs share a scale.</param>
/// <param name="IntegerActivations">Whether the activations may be quantized as well.</param>
/// <param name="Why">Ends in the plan.</param>
public sealed record FewBitsRule(LayerForm Form, int BlockSize, bool IntegerActivations, string Why);

/// <summary>How a target runs attention in floating point.</summary>
/// <param name="FusedOperator">Whether com.microsoft.MultiHeadAttention, which makes no logits of all tokens, is faster than products.</param>
/// <param name="MostFusedColumns">The most columns for positions, as a share of the head size, with which it is.</param>
/// <param name="MostFusedColumnsOfLarge">The same where the logits are larger than <paramref name="LargestLogits"/>.</param>
/// <param name="LargestLogits">The most bytes of logits to have at one time.</param>
/// <param name="Why">What was measured.</param>
public sealed record AttentionRule(bool FusedOperator, double MostFusedColumns, double MostFusedColumnsOfLarge, long LargestLogits, string Why);

/// <summary>What a runtime executes well: data, read from a JSON file. <see cref="TargetCheck"/> holds an artifact to it.</summary>
public sealed record TargetDescription
{
    public const string Default = "ort-cpu";

    public required string Name { get; init; }

    public required string Description { get; init; }

    /// <summary>Type of quantized activations: uint8 or int8.</summary>
    public required ElementType ActivationType { get; init; }

    /// <summary>Whether zero points of activations must be 0.</summary>
    public required bool SymmetricActivations { get; init; }

    /// <summary>Quantized weights lie between its negative and itself.</summary>
    public required int WeightHighest { get; init; }

    public required LayerRule Linear { get; init; }

    public required LayerRule Conv { get; init; }

    public required LayerRule DepthwiseConv { get; init; }

    /// <summary>A Conv behind which no other layer comes, when it is another rule than that of <see cref="Conv"/>.</summary>
    public LayerRule? LastConv { get; init; }

    public required LayerRule ConvTranspose { get; init; }

    /// <summary>The products of two activations in attention.</summary>
    public required LayerRule AttentionMatMul { get; init; }

    /// <summary>Null when attention stays as it is, because nothing was measured.</summary>
    public AttentionRule? Attention { get; init; }

    /// <summary>Null when the target takes no 4-bit weights.</summary>
    public FewBitsRule? FewBits { get; init; }

    /// <summary>The most tokens of an attention whose products may be quantized; 0 sets no limit.</summary>
    public int LongestQuantizedAttention { get; init; }

    /// <summary>The first opset whose models the target takes.</summary>
    public long LowestOpset { get; init; } = QuantizationPlanner.LowestOpset;

    /// <summary>Whether an artifact may hold operators that ONNX Runtime contributes.</summary>
    public required bool ContributedOperators { get; init; }

    /// <summary>What input and output channels of a quantized layer must be a multiple of.</summary>
    public int ChannelAlignment { get; init; } = 1;

    /// <summary>The operators that must not stand between DequantizeLinear and QuantizeLinear, because their quantized kernels are slow or inexact.</summary>
    public IReadOnlyList<string> FloatOperators { get; init; } = [];

    /// <summary>Whether a fusion of MatMul and Add to a float Gemm must be kept from happening, by a bias of rank 3.</summary>
    public required bool FusesLinearToGemm { get; init; }

    /// <summary>The names of the targets that are built in.</summary>
    public static IReadOnlyList<string> BuiltIn => Shipped.Names;

    private static readonly ShippedData Shipped = new("targets/", "target", "docs/targets.md");

    public LayerRule Rule(LayerKind kind) => kind switch
    {
        LayerKind.Linear => Linear,
        LayerKind.Conv => Conv,
        LayerKind.ConvTranspose => ConvTranspose,
        _ => AttentionMatMul,
    };

    /// <summary>The rule for a layer, which looks at its channels too: a layer that breaks the alignment stays float.</summary>
    public LayerRule Rule(QuantizableLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        LayerRule rule = layer.Kind != LayerKind.Conv ? Rule(layer.Kind)
            : layer.IsDepthwise ? DepthwiseConv
            : layer.IsLast && LastConv is not null ? LastConv
            : Conv;
        return rule.Execution == LayerExecution.Float || IsAligned(layer.InputChannels) && IsAligned(layer.OutputChannels)
            ? rule
            : new LayerRule(LayerExecution.Float, false, $"{layer.InputChannels} and {layer.OutputChannels} channels: {Name} wants multiples of {ChannelAlignment}");
    }

    internal bool IsAligned(long channels) => channels % ChannelAlignment == 0;

    /// <summary>Loads a built-in target by name, or a description from a file ending in .json.</summary>
    /// <exception cref="SamCompressException">Neither is there, or the file is no description.</exception>
    public static TargetDescription Load(string nameOrPath) => Shipped.Load<TargetDescription>(nameOrPath, t => t.Validate());

    /// <exception cref="JsonException">The values contradict each other.</exception>
    private void Validate()
    {
        if (ActivationType is not (ElementType.UInt8 or ElementType.Int8) || WeightHighest is < 1 or > 127)
            throw new JsonException("activationType must be uInt8 or int8, weightHighest from 1 to 127");
        if (SymmetricActivations && ActivationType != ElementType.Int8)
            throw new JsonException("symmetricActivations needs activationType int8: zero would be the lowest of uInt8");
        if (ChannelAlignment < 1 || LongestQuantizedAttention < 0)
            throw new JsonException("channelAlignment must be at least 1, longestQuantizedAttention at least 0");
        if (FewBits is { BlockSize: < 16 } || FewBits is { } rule && !int.IsPow2(rule.BlockSize))
            throw new JsonException("fewBits.blockSize must be a power of two from 16 on");
        if (Attention is { LargestLogits: < 1 } or { FusedOperator: true } && !ContributedOperators)
            throw new JsonException("attention.largestLogits must be positive, and attention.fusedOperator needs contributedOperators");
        LayerForm[] ofConvolutions = [Conv.Form, DepthwiseConv.Form, LastConv?.Form ?? LayerForm.Qdq];
        LayerForm[] forms = [.. ofConvolutions, Linear.Form, AttentionMatMul.Form, FewBits?.Form ?? LayerForm.Qdq];
        if (!ContributedOperators && forms.Contains(LayerForm.IntegerOperator))
            throw new JsonException("the form integerOperator needs contributedOperators");
        if (ActivationType != ElementType.UInt8 && ofConvolutions.Contains(LayerForm.IntegerOperator))
            throw new JsonException("the form integerOperator of a convolution needs activationType uInt8");
        if (ConvTranspose is { Execution: LayerExecution.Integer } || ConvTranspose.Form != LayerForm.Qdq)
            throw new JsonException("convTranspose is float or weightOnly, there is no integer operator of it");
    }
}
