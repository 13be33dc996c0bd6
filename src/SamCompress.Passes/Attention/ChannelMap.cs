using System.Collections.Immutable;

namespace SamCompress.Passes.Attention;

/// <summary>Part of an axis: <paramref name="Size"/> steps, each <paramref name="Stride"/> channels on. Stride 0: all steps meet the same channel.</summary>
public readonly record struct AxisDigit(long Size, long Stride);

/// <summary>
/// Which channel of a source stands at each position of a value that was made from it by moving elements. An axis is a number of digits, the first
/// turning slowest, and the channel at a position is <see cref="Offset"/> plus the sum of digit times stride over all axes.
/// </summary>
/// <remarks>
/// So a position's channel is known for every token without any tensor of indices: Reshape only regroups digits, Transpose reorders axes, Slice and Split
/// change an offset. What cannot be said this way has no map (null). Digits of size 1 are left out and neighbours that count as one are merged.
/// </remarks>
public sealed class ChannelMap
{
    private ChannelMap(long offset, ImmutableArray<ImmutableArray<AxisDigit>> axes)
    {
        Offset = offset;
        Axes = axes;
    }

    public long Offset { get; }

    public ImmutableArray<ImmutableArray<AxisDigit>> Axes { get; }

    public int Rank => Axes.Length;

    /// <summary>A map from digits, first to last, of each axis.</summary>
    public static ChannelMap Of(long offset, IEnumerable<IEnumerable<AxisDigit>> axes)
    {
        ArgumentNullException.ThrowIfNull(axes);
        return new ChannelMap(offset, [.. axes.Select(Merge)]);
    }

    /// <summary>The map of the source itself: channels along one axis.</summary>
    /// <param name="axis">Counted from the end when negative.</param>
    public static ChannelMap Of(ReadOnlySpan<long> sizes, int axis)
    {
        var axes = new AxisDigit[sizes.Length][];
        for (int i = 0; i < axes.Length; i++)
            axes[i] = [new AxisDigit(sizes[i], i == (axis < 0 ? axis + axes.Length : axis) ? 1 : 0)];
        return Of(0, axes);
    }

    public long Size(int axis) => Axes[axis].Aggregate(1L, (product, d) => product * d.Size);

    /// <summary>The number of elements of the value.</summary>
    public long Count => Enumerable.Range(0, Rank).Aggregate(1L, (product, axis) => product * Size(axis));

    /// <summary>Whether the channel changes along an axis.</summary>
    public bool HasChannels(int axis) => Axes[axis].Any(d => d.Stride != 0);

    /// <summary>What each position along one axis adds to the channel.</summary>
    public long[] Along(int axis) => Expand(Axes[axis]);

    /// <summary>The channels of the source that are in the value, each as often as the axes with channels repeat it.</summary>
    public long[] Channels() => [.. Expand(Axes.SelectMany(a => a).Where(d => d.Stride != 0)).Select(c => c + Offset)];

    /// <summary>The same elements under other axes, or null when an axis would have to cut through a digit.</summary>
    public ChannelMap? Reshape(IReadOnlyList<long> sizes)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        var left = new Stack<AxisDigit>(Axes.SelectMany(a => a).Reverse());
        var axes = new List<AxisDigit>[sizes.Count];
        for (int i = 0; i < axes.Length; i++)
        {
            axes[i] = [];
            for (long wanted = sizes[i]; wanted > 1;)
            {
                if (!left.TryPop(out AxisDigit digit))
                    return null;
                if (wanted % digit.Size == 0)
                {
                    wanted /= digit.Size;
                }
                else if (digit.Size % wanted == 0)
                {
                    long inner = digit.Size / wanted;
                    left.Push(new AxisDigit(inner, digit.Stride));
                    digit = new AxisDigit(wanted, digit.Stride * inner);
                    wanted = 1;
                }
                else
                {
                    return null;
                }

                axes[i].Add(digit);
            }
        }

        return left.Count == 0 ? Of(Offset, axes) : null;
    }

    public ChannelMap Transpose(IReadOnlyList<long> permutation) => new(Offset, [.. permutation.Select(axis => Axes[(int)axis])]);

    /// <summary>The positions start, start + step, ... of one axis, or null when they are no digits.</summary>
    public ChannelMap? Slice(int axis, long start, long count, long step = 1)
    {
        if (start < 0 || count < 1 || step < 1 || start + ((count - 1) * step) >= Size(axis))
            return null;
        long offset = Offset;
        var digits = new List<AxisDigit>();
        ImmutableArray<AxisDigit> left = Axes[axis];
        while (left.Length > 0)
        {
            AxisDigit digit = left[0];
            left = left.RemoveAt(0);
            long inner = left.Aggregate(1L, (product, d) => product * d.Size);
            if (inner == 1)
            {
                offset += digit.Stride * start;
                digits.Add(new AxisDigit(count, digit.Stride * step));
                break;
            }

            if (step == 1 && start % inner == 0 && count % inner == 0)
            {
                offset += digit.Stride * (start / inner);
                digits.Add(new AxisDigit(count / inner, digit.Stride));
                digits.AddRange(left);
                break;
            }

            long last = start + ((count - 1) * step);
            if (start / inner != last / inner)
                return null;
            offset += digit.Stride * (start / inner);
            start %= inner;
        }

        return Of(offset, Axes.Select((a, i) => i == axis ? (IEnumerable<AxisDigit>)digits : a));
    }

    /// <summary>Another size for an axis along which the channel does not change.</summary>
    public ChannelMap Resize(int axis, long size) => Of(Offset, Axes.Select((a, i) => i == axis ? (IEnumerable<AxisDigit>)[new AxisDigit(size, 0)] : a));

    public override string ToString() => $"{Offset} + [{string.Join(", ", Axes.Select(a => string.Join(' ', a.Select(d => $"{d.Size}x{d.Stride}"))))}]";

    private static ImmutableArray<AxisDigit> Merge(IEnumerable<AxisDigit> digits)
    {
        var merged = new List<AxisDigit>();
        foreach (AxisDigit digit in digits)
        {
            if (digit.Size == 1)
                continue;
            if (merged.Count > 0 && merged[^1].Stride == digit.Stride * digit.Size)
                merged[^1] = new AxisDigit(merged[^1].Size * digit.Size, digit.Stride);
            else
                merged.Add(digit);
        }

        return [.. merged];
    }

    private static long[] Expand(IEnumerable<AxisDigit> digits)
    {
        long[] result = [0];
        foreach (AxisDigit digit in digits)
        {
            long[] outer = result;
            result = new long[checked(outer.Length * digit.Size)];
            for (int i = 0; i < result.Length; i++)
                result[i] = outer[i / digit.Size] + (i % digit.Size * digit.Stride);
        }

        return result;
    }
}
