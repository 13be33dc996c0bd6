namespace SamCompress.Passes;

/// <summary>
/// The generator SplitMix64: 64 bits of state, each step adds a constant and mixes. The same numbers on every machine and in every version of .NET, which the library's generators do not promise.
/// </summary>
/// <remarks>G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.</remarks>
/// <param name="state">The seed.</param>
public struct SplitMix64(ulong state)
{
    private const ulong Increment = 0x9E3779B97F4A7C15;

    private ulong _state = state;

    /// <summary>The number with a place in the sequence of seed 0, the first one for 0.</summary>
    public static ulong At(ulong place) => Mix(unchecked((place + 1) * Increment));

    /// <summary>Uniform over all numbers of 64 bits.</summary>
    public ulong Next() => Mix(_state = unchecked(_state + Increment));

    /// <summary>Uniform from 0 to below 1, of 53 bits.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform from 0 to below <paramref name="count"/>.</summary>
    public int Next(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    private static ulong Mix(ulong z)
    {
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EB);
        return z ^ (z >> 31);
    }
}
