namespace SamCompress.Passes.Quantization.Search;

/// <summary>
/// What scale search and rounding know of an activation beyond its ranges: some of its rows, and the second moments of many. A row holds all channels
/// of one position.
/// </summary>
public sealed class ActivationSamples
{
    /// <param name="rows">[row count, channels]</param>
    /// <param name="meanSquare">E[x_k^2] for each channel.</param>
    /// <param name="gram">[channels, channels], E[x_k x_l]; empty when it was not gathered.</param>
    /// <param name="gramMean">E[x_k] over the rows of the second moments; empty when those are.</param>
    /// <exception cref="ArgumentException">The sizes do not fit together.</exception>
    public ActivationSamples(int channels, float[] rows, float[] meanSquare, float[] gram, float[] gramMean)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(meanSquare);
        ArgumentNullException.ThrowIfNull(gram);
        ArgumentNullException.ThrowIfNull(gramMean);
        if (rows.Length % channels != 0 || meanSquare.Length != channels || (gram.Length != 0 && gram.Length != channels * channels) || gramMean.Length != gram.Length / channels)
            throw new ArgumentException($"{rows.Length} elements of rows, {meanSquare.Length} mean squares and {gram.Length} second moments do not fit {channels} channels");
        Channels = channels;
        Rows = rows;
        MeanSquare = meanSquare;
        Gram = gram;
        GramMean = gramMean;
    }

    public int Channels { get; }

    public int RowCount => Rows.Length / Channels;

    public float[] Rows { get; }

    public float[] MeanSquare { get; }

    /// <summary>Symmetric; empty for the inputs of convolutions whose kernels overlap.</summary>
    public float[] Gram { get; }

    /// <summary>Means over the same rows, so that taking their product away leaves a covariance.</summary>
    public float[] GramMean { get; }
}
