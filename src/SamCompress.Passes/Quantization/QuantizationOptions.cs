namespace SamCompress.Passes.Quantization;

/// <summary>What the user wants of a quantization.</summary>
public sealed record QuantizationOptions
{
    /// <summary>How activation ranges are chosen.</summary>
    public RangeEstimator Estimator { get; init; } = new MseEstimator();

    /// <summary>Whether biases make up for the mean error of the quantized weights.</summary>
    public bool CorrectBias { get; init; } = true;

    /// <summary>A Linear with fewer inputs stays float: it gains nothing, and coordinates need their precision.</summary>
    public int FewestInputs { get; init; } = 8;

    public NodeSelection Selection { get; init; } = NodeSelection.All;

    /// <summary>Whether a model that holds quantized layers already may be quantized further.</summary>
    public bool AllowRequantize { get; init; }
}
