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

/// <summary>Which operators stand for a layer that is quantized.</summary>
public enum LayerForm
{
    /// <summary>Standard operators: the float layer between QuantizeLinear and DequantizeLinear, which a runtime may fuse.</summary>
    Qdq,

    /// <summary>The operator of the integer kernel itself: MatMulIntegerToFloat, MatMulNBits or ConvInteger.</summary>
    IntegerOperator,
}

/// <summary>The other of two quantizations of an activation: of what lies under a threshold.</summary>
/// <param name="Threshold">The value is split into what is under the threshold, at most the threshold itself, and what it exceeds the threshold by.</param>
/// <param name="Below">Its largest value is the threshold.</param>
public sealed record TwinRange(float Threshold, QuantizationGrid Below);

/// <summary>The quantization of an activation: one scale and zero point for the tensor.</summary>
/// <param name="ElementType">Of the stored integers. The grid may use fewer of them: 6 bits are 64 levels in an 8-bit type.</param>
/// <param name="AtProducer">Whether all users see the quantized value, as the kernel of the layer that makes it wants; else only quantized layers do.</param>
public sealed record ActivationPlan(string Value, ElementType ElementType, QuantizationGrid Grid, bool AtProducer, string Why)
{
    /// <summary>
    /// With it x is quantized to Below.Round(x) + Grid.Round(x - Threshold), two numbers that are multiplied apart: the grid is that of what exceeds the threshold,
    /// starts at zero, and both saturate. For inputs of <see cref="LayerKind.Linear"/> and <see cref="LayerKind.AttentionMatMul"/> only.
    /// </summary>
    public TwinRange? Twin { get; init; }
}

/// <summary>What happens to one layer.</summary>
public sealed record LayerPlan
{
    /// <summary>For people: see <see cref="QuantizableLayer.Name"/>.</summary>
    public required string Name { get; init; }

    /// <summary>The first output of the layer's node, by which it is found again.</summary>
    public required string NodeOutput { get; init; }

    public required LayerKind Kind { get; init; }

    public required LayerExecution Execution { get; init; }

    public LayerForm Form { get; init; }

    /// <summary>Why it is executed so.</summary>
    public required string Why { get; init; }

    /// <summary>The activation that is multiplied; see <see cref="QuantizationPlan.Activations"/> for its quantization.</summary>
    public required string Input { get; init; }

    /// <summary>The activation that it is multiplied with in attention, in the place of a weight.</summary>
    public string? SecondInput { get; init; }

    /// <summary>Empty when there is no weight: see <see cref="SecondInput"/>.</summary>
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

    /// <summary>
    /// The quantization of each output channel of a Conv, where the kernel wants a quantized output; empty when it has one grid for all channels, or none.
    /// </summary>
    public IReadOnlyList<QuantizationGrid> OutputGrids { get; init; } = [];

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

    /// <summary>Bits of weights and activations, for people: <c>w8a8</c>, <c>w6a6</c>, <c>w4a16</c>, <c>w4a8</c>.</summary>
    public string Precision { get; init; } = "w8a8";

    /// <summary>By value name, ordinal.</summary>
    public required IReadOnlyList<ActivationPlan> Activations { get; init; }

    /// <summary>In graph order.</summary>
    public required IReadOnlyList<LayerPlan> Layers { get; init; }

    public required IReadOnlyList<Diagnostic> Diagnostics { get; init; }

    public bool IsEmpty => Layers.All(l => l.Execution == LayerExecution.Float);
}
