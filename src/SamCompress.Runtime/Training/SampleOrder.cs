using SamCompress.Passes;

namespace SamCompress.Runtime.Training;

/// <summary>Which picture comes next.</summary>
/// <param name="Index">From 0 to before the number of pictures.</param>
public readonly record struct SampleDraw(long Epoch, int Index);

/// <summary>
/// The order of the pictures: in each epoch every picture once, in a permutation that is a function of seed and epoch. There is no generator whose state
/// would have to be kept: the position alone says what comes next.
/// </summary>
public sealed class SampleOrder(int count, ulong seed)
{
    private readonly int _count = count > 0 ? count : throw new ArgumentOutOfRangeException(nameof(count));
    private (long Epoch, int[] Order) _current = (-1, []);

    /// <param name="position">The number of pictures before this one.</param>
    public SampleDraw At(long position)
    {
        (long epoch, long place) = Math.DivRem(position, _count);
        if (_current.Epoch != epoch)
            _current = (epoch, Permutation(epoch));
        return new SampleDraw(epoch, _current.Order[place]);
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
    private ulong Random(long epoch, long counter) => SplitMix64.At(SplitMix64.At(SplitMix64.At(seed) + (ulong)epoch) + (ulong)counter);
}
