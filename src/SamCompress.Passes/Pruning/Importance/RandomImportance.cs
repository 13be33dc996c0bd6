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
        var random = new SplitMix64(start);
        return [.. Enumerable.Range(0, group.Size).Select(_ => random.NextDouble())];
    }
}
