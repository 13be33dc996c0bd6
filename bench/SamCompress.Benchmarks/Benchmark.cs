namespace SamCompress.Benchmarks;

/// <summary>A question that a measurement answers.</summary>
internal abstract class Benchmark
{
    /// <summary>What is typed to run it.</summary>
    public abstract string Name { get; }

    public abstract string Question { get; }

    /// <summary>The first measurement is the one that the others are compared with.</summary>
    public abstract IReadOnlyList<Measurement> Measure();
}
