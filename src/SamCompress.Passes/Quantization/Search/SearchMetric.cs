namespace SamCompress.Passes.Quantization.Search;

/// <summary>By what the search judges a scale.</summary>
public enum SearchMetric
{
    /// <summary>Nothing is searched: the range is everything that was seen.</summary>
    MinMax,

    /// <summary>Nothing is searched: the range is the central share of the values.</summary>
    Percentile,

    /// <summary>The squared error of the layer's output.</summary>
    Mse,

    /// <summary>The cosine between the layer's output and the output with rounded operands.</summary>
    Cosine,

    /// <summary>The Kullback-Leibler divergence between the histograms of the values and the rounded values; weights by <see cref="Mse"/>.</summary>
    Kl,

    /// <summary>The squared error of the layer's output, each output channel weighted by what a change of it does to the masks.</summary>
    Hessian,
}
