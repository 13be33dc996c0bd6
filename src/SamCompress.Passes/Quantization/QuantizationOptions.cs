using SamCompress.Passes.Quantization.Search;

namespace SamCompress.Passes.Quantization;

/// <summary>How many bits weights and activations get.</summary>
/// <param name="Name">As on the command line: <c>w8a8</c>.</param>
/// <param name="ActivationBits">16 leaves activations in floating point.</param>
/// <param name="WeightBlock">How many inputs of a Linear share a scale; 0 for one scale per output channel.</param>
/// <param name="OperatorQuantizesActivations">Whether the operator rounds activations by itself as it runs, so that nothing is calibrated.</param>
public sealed record Precision(string Name, int WeightBits, int ActivationBits, int WeightBlock = 0, bool OperatorQuantizesActivations = false)
{
    public static Precision W8A8 { get; } = new("w8a8", 8, 8);

    /// <summary>On an 8-bit grid: 64 levels of it are used.</summary>
    public static Precision W6A6 { get; } = new("w6a6", 6, 6);

    public static Precision W4A16 { get; } = new("w4a16", 4, 16, WeightBlock: 32);

    public static Precision W4A8 { get; } = new("w4a8", 4, 8, WeightBlock: 32, OperatorQuantizesActivations: true);

    public static IReadOnlyList<Precision> All { get; } = [W8A8, W6A6, W4A16, W4A8];

    /// <summary>The quantized weights lie between its negative and itself.</summary>
    public int WeightHighest => (1 << (WeightBits - 1)) - 1;
}

/// <summary>How weights become integers.</summary>
public enum WeightRounding
{
    /// <summary>Each to the nearest one.</summary>
    Nearest,

    /// <summary>One input after the other, later ones making up for the error of earlier ones.</summary>
    Gptq,
}

/// <summary>What the user wants of a quantization.</summary>
public sealed record QuantizationOptions
{
    public Precision Precision { get; init; } = Precision.W8A8;

    /// <summary>By what scales are searched, where samples of the activations are there.</summary>
    public SearchMetric Metric { get; init; } = SearchMetric.Mse;

    /// <summary>How activation ranges are chosen where nothing is searched.</summary>
    public RangeEstimator Estimator { get; init; } = new MseEstimator();

    public WeightRounding Rounding { get; init; }

    /// <summary>Whether weights are refitted to the rounding noise of their inputs before they are rounded; with <see cref="WeightRounding.Gptq"/> only.</summary>
    public bool RefitWeights { get; init; } = true;

    /// <summary>Whether biases make up for the mean error of quantized inputs and weights.</summary>
    public bool CorrectBias { get; init; } = true;

    /// <summary>
    /// Whether what comes from a Gelu or a Softmax gets two ranges, each with half of the codes (the twin quantizers of TinySAM). Each product is then
    /// made twice.
    /// </summary>
    public bool TwinRanges { get; init; }

    /// <summary>A Linear with fewer inputs stays float: it gains nothing, and coordinates need their precision.</summary>
    public int FewestInputs { get; init; } = 8;

    public NodeSelection Selection { get; init; } = NodeSelection.All;

    /// <summary>Whether a model that holds quantized layers already may be quantized further.</summary>
    public bool AllowRequantize { get; init; }
}
