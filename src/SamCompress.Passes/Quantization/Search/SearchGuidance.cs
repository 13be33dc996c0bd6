namespace SamCompress.Passes.Quantization.Search;

/// <summary>What running the model taught about its scales, beyond what its activations look like.</summary>
public sealed record SearchGuidance
{
    /// <summary>By the name of a layer's node output: how much an error of each output channel changes the masks. For <see cref="SearchMetric.Hessian"/>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<float>> Sensitivities { get; init; } = new Dictionary<string, IReadOnlyList<float>>();

    /// <summary>Grids of activations that were chosen already, by the name of the value.</summary>
    public IReadOnlyDictionary<string, QuantizationGrid> Grids { get; init; } = new Dictionary<string, QuantizationGrid>();
}
