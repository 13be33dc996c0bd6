namespace SamCompress.Passes.Pruning.Importance;

/// <summary>A random number from 0 to 1 for each channel: what every other criterion must be better than. Depends on seed and name of the group only.</summary>
public sealed class RandomImportance(int seed) : ChannelImportance
{
    public override string Name => "random";

    public override double[] Score(ChannelGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        // FNV-1a, which unlike string hashes is the same in every process.
        ulong start = group.Name.Aggregate(14695981039346656037UL ^ (uint)seed, (hash, c) => (hash ^ c) * 1099511628211);
        return [.. Enumerable.Range(0, group.Size).Select(c => (Mix(start + ((ulong)c * 0x9E3779B97F4A7C15)) >> 11) * (1.0 / (1UL << 53)))];
    }

    /// <summary>The generator SplitMix64 as a function of its state.</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
