using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Slice(Slice(x)) along different axes => one Slice(x), as when a padded window grid is cropped.</summary>
/// <remarks>Exact. Guards: constant operands, opset 10 or later, no axis in both, the inner node has no other user.</remarks>
public sealed class MergeSlices : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly NodePattern _inner;
    private readonly NodePattern _outer;

    public MergeSlices()
    {
        _inner = Op("Slice", _x).MoreInputs();
        _outer = Op("Slice", _inner).MoreInputs();
    }

    protected override ValuePattern Pattern => _outer;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        if (match[_x].Shape is not { } shape)
            return match.Reject("the rank is not known");
        if (Operands(match.Node(_inner), shape.Rank) is not { } first || Operands(match.Node(_outer), shape.Rank) is not { } second)
            return match.Reject("the operands are not constant");
        if (first.Axes.Intersect(second.Axes).Any())
            return match.Reject("both cut along one axis");
        long[] steps = [.. first.Steps, .. second.Steps];
        return graph.Op("Slice",
        [
            match[_x],
            graph.Vector([.. first.Starts, .. second.Starts]),
            graph.Vector([.. first.Ends, .. second.Ends]),
            graph.Vector([.. first.Axes, .. second.Axes]),
            .. Array.TrueForAll(steps, s => s == 1) ? Array.Empty<Value>() : [graph.Vector(steps)],
        ]);
    }

    private static (long[] Starts, long[] Ends, long[] Axes, long[] Steps)? Operands(Node slice, int rank)
    {
        if (slice.Input(1).Integers() is not { } starts || slice.Input(2).Integers() is not { } ends)
            return null;
        long[]? axes = slice.Input(3) is { } given ? given.Integers() : [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        long[]? steps = slice.Input(4) is { } by ? by.Integers() : [.. Enumerable.Repeat(1L, starts.Length)];
        return axes is null || steps is null ? null : (starts, ends, Array.ConvertAll(axes, a => a < 0 ? a + rank : a), steps);
    }
}
