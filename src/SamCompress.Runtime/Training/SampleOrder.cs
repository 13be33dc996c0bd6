namespace SamCompress.Runtime.Training;

/// <summary>Which picture comes next.</summary>
/// <param name="Index">From 0 to before the number of pictures.</param>
/// <param name="IsFlipped">Whether it is mirrored, left to right.</param>
public readonly record struct SampleDraw(long Epoch, int Index, bool IsFlipped);

/// <summary>
/// The order of the pictures: in each epoch every picture once, in a permutation that is a function of seed and epoch. There is no generator whose state
/// would have to be kept: the position alone says what comes next.
/// </summary>
/// <param name="flips">Whether a picture may come mirrored: in each epoch, half of them do.</param>
public sealed class SampleOrder(int count, ulong seed, bool flips = false)
{
    private readonly int _count = count > 0 ? count : throw new ArgumentOutOfRangeException(nameof(count));
    private (long Epoch, int[] Order) _current = (-1, []);

    /// <param name="position">The number of pictures before this one.</param>
    public SampleDraw At(long position)
    {
        (long epoch, long place) = Math.DivRem(position, _count);
        if (_current.Epoch != epoch)
            _current = (epoch, Permutation(epoch));
        int index = _current.Order[place];
        return new SampleDraw(epoch, index, flips && (Random(epoch, _count + index) & 1) == 1);
    }

    /// <summary>Fisher and Yates.</summary>
    private int[] Permutation(long epoch)
    {
        int[] order = [.. Enumerable.Range(0, _count)];
        for (int i = _count - 1; i > 0; i--)
        {
            int j = (int)Math.BigMul(Random(epoch, i), (ulong)(i + 1), out _);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    /// <summary>The number of a counter in a sequence of its own for each seed and epoch.</summary>
    private ulong Random(long epoch, long counter) => Mix(Mix(Mix(seed) + (ulong)epoch) + (ulong)counter);

    /// <summary>The SplitMix64 generator as a function of its counter.</summary>
    private static ulong Mix(ulong counter)
    {
        ulong z = unchecked((counter + 1) * 0x9E3779B97F4A7C15);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EB);
        return z ^ (z >> 31);
    }
}
