using SamCompress.IR;

namespace SamCompress.Passes.Attention;

/// <summary>
/// Numbers in place of dimensions that are not known: a prime for each name, larger than any axis of these graphs, so that no Reshape can cut through one
/// by chance. What is then found holds for every size.
/// </summary>
internal sealed class AxisSizes
{
    private const long FirstPrime = 1_000_003;

    private readonly Dictionary<string, long> _named = new(StringComparer.Ordinal);
    private readonly Dictionary<Value, long[]> _sources = [];
    private long _last = FirstPrime - 2;

    /// <summary>The sizes of a value that others are compared with; null when its rank is not known.</summary>
    public long[]? Of(Value value)
    {
        if (value.Shape is not { } shape)
            return null;
        if (!_sources.TryGetValue(value, out long[]? sizes))
            _sources[value] = sizes = [.. shape.Select(d => d.Value ?? (d.Parameter is { } name ? Named(name) : NextPrime()))];
        return sizes;
    }

    /// <summary>The sizes of a value with a known number of elements: one dimension may have no name, or a new one. Null when they are not known.</summary>
    public long[]? Of(Value value, long count)
    {
        if (value.Shape is not { } shape)
            return null;
        long known = shape.Aggregate(1L, (product, d) => product * (d.Value ?? 1));
        bool hasOne = shape.Count(d => d.Value is null) == 1;
        if (hasOne && (known == 0 || count % known != 0))
            return null;
        if (!hasOne && shape.Any(d => d.Value is null && d.Parameter is null))
            return null;
        long[] sizes = [.. shape.Select(d => d.Value ?? (hasOne ? count / known : Named(d.Parameter!)))];
        return sizes.Aggregate(1L, (product, size) => product * size) == count ? sizes : null;
    }

    private long Named(string name)
    {
        if (!_named.TryGetValue(name, out long prime))
            _named[name] = prime = NextPrime();
        return prime;
    }

    private long NextPrime()
    {
        do
            _last += 2;
        while (!IsPrime(_last));
        return _last;
    }

    private static bool IsPrime(long odd)
    {
        for (long divisor = 3; divisor * divisor <= odd; divisor += 2)
        {
            if (odd % divisor == 0)
                return false;
        }

        return true;
    }
}
