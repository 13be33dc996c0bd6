namespace SamCompress.Passes.Pruning.Tracing;

/// <summary>
/// Channels through a Reshape: both shapes are cut into the same digits, the slowest first. An axis of several digits holds channels in one of them, its carrier, and the others
/// repeat it: of [.., 3 * 12 * 64] that becomes [.., 3, 12, 64] the channels are the 64, for all heads alike.
/// </summary>
internal sealed class ReshapeRule(ChannelLabels labels, string node)
{
    /// <param name="From">The axis of the input.</param>
    /// <param name="To">The axis of the output.</param>
    private sealed record Digit(long Size, int From, int To)
    {
        public int[]? Labels { get; set; }
    }

    /// <returns>The labels of the output, or null when an axis of it begins within an axis of the input where that cannot be cut.</returns>
    public int[]?[]? Apply(int[]?[] axes, long[] from, long[] to)
    {
        if (Digits(from, to) is not { } digits)
            return null;
        for (int axis = 0; axis < from.Length; axis++)
            Split(axes[axis], [.. digits.Where(d => d.From == axis)]);
        var result = new int[]?[to.Length];
        for (int axis = 0; axis < to.Length; axis++)
            result[axis] = Join([.. digits.Where(d => d.To == axis)]);
        return result;
    }

    private static List<Digit>? Digits(long[] from, long[] to)
    {
        var digits = new List<Digit>();
        int i = 0, j = 0;
        long left = 1, right = 1;
        while (true)
        {
            while (left == 1 && i < from.Length)
                left = from[i++];
            while (right == 1 && j < to.Length)
                right = to[j++];
            if (left == 1 || right == 1)
                return left == right ? digits : null;
            long size = Math.Min(left, right);
            if (left % size != 0 || right % size != 0)
                return null;
            digits.Add(new Digit(size, i - 1, j - 1));
            (left, right) = (left / size, right / size);
        }
    }

    private void Split(int[]? axis, Digit[] digits)
    {
        if (axis is null || digits.Length == 0)
            return;
        int[] strides = new int[digits.Length];
        for (int d = digits.Length - 1, stride = 1; d >= 0; stride *= (int)digits[d--].Size)
            strides[d] = stride;
        int carrier = Array.FindLastIndex([.. Enumerable.Range(0, digits.Length)], d => IsCarrier(axis, strides[d], (int)digits[d].Size));
        carrier = carrier < 0 ? digits.Length - 1 : carrier;
        var channels = new int[digits[carrier].Size];
        for (int c = 0; c < channels.Length; c++)
            channels[c] = axis[c * strides[carrier]];
        for (int i = 0; i < axis.Length; i++)
            labels.Union(channels[i / strides[carrier] % channels.Length], axis[i]);
        digits[carrier].Labels = channels;
    }

    /// <summary>Whether the channel depends on one digit only, as it is.</summary>
    private bool IsCarrier(int[] axis, int stride, int size)
    {
        for (int i = 0; i < axis.Length; i++)
        {
            if (labels.Root(axis[i]) != labels.Root(axis[i / stride % size * stride]))
                return false;
        }

        return true;
    }

    private int[]? Join(Digit[] digits)
    {
        Digit? carrier = digits.LastOrDefault(d => d.Labels is not null);
        if (carrier is null)
            return null;
        foreach (Digit other in digits.Where(d => d != carrier))
            labels.Pin(other.Labels, $"{node} puts it beside other channels on one axis");
        int inner = (int)digits.SkipWhile(d => d != carrier).Skip(1).Aggregate(1L, (product, d) => product * d.Size);
        int outer = (int)digits.TakeWhile(d => d != carrier).Aggregate(1L, (product, d) => product * d.Size);
        var axis = new int[outer * carrier.Labels!.Length * inner];
        for (int i = 0; i < axis.Length; i++)
            axis[i] = carrier.Labels[i / inner % carrier.Labels.Length];
        return axis;
    }
}
