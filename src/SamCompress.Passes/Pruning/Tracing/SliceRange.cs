using SamCompress.IR;
using SamCompress.Passes.Cleanup;

namespace SamCompress.Passes.Pruning.Tracing;

/// <summary>What a Slice takes of one axis: <paramref name="Count"/> positions from <paramref name="Start"/> on.</summary>
/// <param name="Place">Which of the axes that the node names it is.</param>
internal readonly record struct SliceRange(int Place, int Axis, long Start, long Count, long Step)
{
    /// <summary>The ranges of a Slice with constant operands and static shapes; null for another one.</summary>
    public static IReadOnlyList<SliceRange>? Of(Node slice)
    {
        if (slice.Input(1).Integers() is not { } starts || slice.Input(2).Integers() is null)
            return null;
        long[]? axes = slice.Input(3) is { } given ? given.Integers() : [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        long[]? steps = slice.Input(4) is { } by ? by.Integers() : [.. starts.Select(_ => 1L)];
        if (axes is null || steps is null || slice.Input(0)!.Shape?.ToStatic() is not { } from || slice.Output.Shape?.ToStatic() is not { } to)
            return null;
        return [.. starts.Select((start, place) =>
        {
            int axis = (int)(axes[place] < 0 ? axes[place] + from.Length : axes[place]);
            long first = Math.Clamp(start < 0 ? start + from[axis] : start, 0, from[axis]);
            return new SliceRange(place, axis, first, to[axis], steps[place]);
        })];
    }
}
