using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>
/// A chain of Reshape, Transpose, Flatten, Squeeze and Unsqueeze => the fewest nodes that move the elements to the same places: at most Reshape, Transpose, Reshape.
/// <code>
/// Reshape(Transpose(Reshape(x[1,C,H,W], 1,C,HW)), 1,H,W,C)  =>  Transpose(x, 0,2,3,1)
/// Transpose(Reshape(x[1,C,H,W], 1,C,HW))                    =>  Reshape(Transpose(x, 0,2,3,1), 1,HW,C)
/// </code>
/// </summary>
/// <remarks>
/// Exact. Guards: all shapes are known numbers; the result has fewer nodes, or its Transpose comes first, so that what reads the rows as a map reads the Transpose. Two to four nodes are looked at together, which is enough for a chain of any length:
/// three do for four.
/// </remarks>
public sealed class MergeMovements : RewriteRule
{
    private readonly ValuePattern _x = Any();

    protected override ValuePattern Pattern => OneOf(Movement(Movement(Movement(Movement(_x)))), Movement(Movement(Movement(_x))), Movement(Movement(_x)));

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        Value x = match[_x];
        if (Known(x) is not { } from || Known(match.Root) is not { } to)
            return match.Reject("a shape is not known, or empty");
        var order = new ElementOrder(from);
        foreach (Node node in match.Nodes.Reverse())
        {
            if (node.Is("Transpose"))
                order.Transpose(node.Permutation()!);
            else if (Known(node.Output) is not { } shape || !order.TryReshape(shape))
                return match.Reject("a shape is not known, or does not split the axes evenly");
        }

        long[] runs = order.Runs(out int[] runsInResult);
        int length = match.Nodes.Count;
        if (runsInResult.Length <= 1)
            return from.SequenceEqual(to) ? x : graph.Reshape(x, to);
        long[]? own = TransposedAxes(from, runs, runsInResult);
        if (own is not null && FitUnits(own, from, to) is { } direct)
            return graph.Transpose(x, direct);
        if (length == 2 && (own is null || !match.Nodes[0].Is("Transpose")))
            return match.Reject("there is no shorter way");
        if (own is not null)
            return graph.Reshape(graph.Transpose(x, own), to);

        // From the other end: the axes of the result, in the order of the source.
        long[] resultRuns = Array.ConvertAll(runsInResult, r => runs[r]);
        int[] back = Inverse(runsInResult);
        if (TransposedAxes(to, resultRuns, back) is { } ofResult)
            return graph.Transpose(graph.Reshape(x, Array.ConvertAll(ofResult, axis => to[axis])), Array.ConvertAll(Inverse(Array.ConvertAll(ofResult, a => (int)a)), a => (long)a));
        if (length == 3)
            return match.Reject("there is no shorter way");
        return graph.Reshape(graph.Transpose(graph.Reshape(x, runs), Array.ConvertAll(runsInResult, r => (long)r)), to);
    }

    private static ValuePattern Movement(ValuePattern x) => OneOf(
        Op("Transpose", x), Op("Reshape", x).MoreInputs(), Op("Flatten", x), Op("Squeeze", x).MoreInputs(), Op("Unsqueeze", x).MoreInputs());

    private static long[]? Known(Value value) => value.Shape?.ToStatic() is { } shape && !shape.Contains(0) ? shape : null;

    /// <summary>The axes, those of one element first, in the order that puts the runs they make up into the order wanted; null when a run ends within an axis.</summary>
    private static long[]? TransposedAxes(long[] shape, long[] runs, int[] order)
    {
        List<long>[] axesOfRun = [.. runs.Select(_ => new List<long>())];
        int run = 0;
        long open = runs[0];
        for (int axis = 0; axis < shape.Length; axis++)
        {
            if (shape[axis] == 1)
                continue;
            if (open == 1)
                open = runs[++run];
            if (open % shape[axis] != 0)
                return null;
            open /= shape[axis];
            axesOfRun[run].Add(axis);
        }

        return [.. Units(shape), .. order.SelectMany(r => axesOfRun[r])];
    }

    /// <summary>The permutation with its axes of one element moved to where the result has such; null when it has another shape.</summary>
    private static long[]? FitUnits(long[] permutation, long[] from, long[] to)
    {
        if (from.Length != to.Length)
            return null;
        var units = new Queue<long>(Units(from));
        var others = new Queue<long>(permutation.Skip(units.Count));
        var fitted = new List<long>();
        foreach (long size in to)
        {
            Queue<long> source = size == 1 ? units : others;
            if (!source.TryDequeue(out long axis) || from[axis] != size)
                return null;
            fitted.Add(axis);
        }

        return [.. fitted];
    }

    private static IEnumerable<long> Units(long[] shape) => Enumerable.Range(0, shape.Length).Where(axis => shape[axis] == 1).Select(axis => (long)axis);

    private static int[] Inverse(int[] permutation)
    {
        int[] inverse = new int[permutation.Length];
        for (int i = 0; i < inverse.Length; i++)
            inverse[permutation[i]] = i;
        return inverse;
    }
}
