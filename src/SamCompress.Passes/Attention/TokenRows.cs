namespace SamCompress.Passes.Attention;

/// <summary>The rows of a value whose last axis holds channels, numbered in order.</summary>
internal static class TokenRows
{
    /// <summary>A map of row numbers: the axes before the last one count rows, the last one stays in its row.</summary>
    public static ChannelMap Of(IReadOnlyList<long> sizes)
    {
        var axes = new AxisDigit[sizes.Count][];
        long stride = 1;
        for (int axis = sizes.Count - 2; axis >= 0; axis--)
        {
            axes[axis] = [new AxisDigit(sizes[axis], stride)];
            stride *= sizes[axis];
        }

        axes[^1] = [new AxisDigit(sizes[^1], 0)];
        return ChannelMap.Of(0, axes);
    }
}
