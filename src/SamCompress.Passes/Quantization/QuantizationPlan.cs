using SamCompress.IR;

namespace SamCompress.Passes.Quantization;

/// <summary>How a layer is to be executed.</summary>
public enum LayerExecution
{
    /// <summary>As it was.</summary>
    Float,

    /// <summary>The weight is stored as integers and multiplied in floating point.</summary>
    WeightOnly,

    /// <summary>Integers are multiplied.</summary>
    Integer,
}

/// <summary>The quantization of an activation: one scale and zero point for the tensor.</summary>
/// <param name="ElementType">Of the stored integers. The grid may use fewer of them: 6 bits are 64 levels in an 8-bit type.</param>
/// <param name="AtProducer">Whether all users see the quantized value, as the kernel of the layer that makes it wants; else only quantized layers do.</param>
public sealed record ActivationPlan(string Value, ElementType ElementType, QuantizationGrid Grid, bool AtProducer, string Why);

/// <summary>What happens to one layer.</summary>
public sealed record LayerPlan
{
    /// <summary>For people: see <see cref="QuantizableLayer.Name"/>.</summary>
    public required string Name { get; init; }

    /// <summary>The first output of the layer's node, by which it is found again.</summary>
    public required string NodeOutput { get; init; }

    public required LayerKind Kind { get; init; }

    public required LayerExecution Execution { get; init; }

    /// <summary>Why it is executed so.</summary>
    public required string Why { get; init; }

    /// <summary>The activation that is multiplied; see <see cref="QuantizationPlan.Activations"/> for its quantization.</summary>
    public required string Input { get; init; }

    public required string WeightName { get; init; }

    /// <summary>Type of the stored weight.</summary>
    public ElementType WeightType { get; init; } = ElementType.Float;

    /// <summary>Quantized weights lie between its negative and itself: 127 for 8 bits, 31 for 6, 7 for 4.</summary>
    public int WeightHighest { get; init; }

    /// <summary>How many inputs of a Linear share a scale; 0 when all inputs of an output channel do.</summary>
    public int WeightBlock { get; init; }

    /// <summary>
    /// Symmetric scales: one for each output channel or, with <see cref="WeightBlock"/>, for each block of each output channel, the blocks of a channel
    /// one after another. Empty when the weight stays float.
    /// </summary>
    public IReadOnlyList<float> WeightScales { get; init; } = [];

    /// <summary>The quantized weight, in the element order of the stored one; null when it is rounded to the nearest value as it is written.</summary>
    public ReadOnlyMemory<sbyte>? WeightCodes { get; init; }

    /// <summary>The bias to use, corrected where that was asked for; null when there is none.</summary>
    public IReadOnlyList<float>? Bias { get; init; }

    /// <summary>The rank that the bias of a Linear gets: 3, with leading ones, keeps ONNX Runtime from fusing MatMul and Add to a float Gemm.</summary>
    public int BiasRank { get; init; } = 1;

    /// <summary>Whether a leading axis of one is added around a Linear of matrices, so that its bias can have rank 3.</summary>
    public bool AddsAxis { get; init; }
}

/// <summary>
/// Everything that was decided about a quantization, with the reasons. A pure function of graph, statistics, options and target;
/// <see cref="QuantizePass"/> applies it without deciding anything.
/// </summary>
public sealed record QuantizationPlan
{
    public required string Target { get; init; }

    /// <summary>By value name, ordinal.</summary>
    public required IReadOnlyList<ActivationPlan> Activations { get; init; }

    /// <summary>In graph order.</summary>
    public required IReadOnlyList<LayerPlan> Layers { get; init; }

    public required IReadOnlyList<Diagnostic> Diagnostics { get; init; }

    public bool IsEmpty => Layers.All(l => l.Execution == LayerExecution.Float);
}
