namespace SamCompress.Benchmarks.Quantization;

/// <summary>A table of the figures that quantization is judged by.</summary>
internal abstract class QuantizationPart
{
    /// <summary>What is typed to print it alone.</summary>
    public abstract string Name { get; }

    /// <summary>The models that it has rows for.</summary>
    public abstract IReadOnlyList<string> Models { get; }

    /// <param name="models">Those of <see cref="Models"/> to print rows for.</param>
    public abstract void Print(Trials trials, IReadOnlyCollection<string> models);
}
