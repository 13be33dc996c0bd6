namespace SamCompress.Passes.Cleanup;

/// <summary>
/// Where the elements of a value come from when they were only moved: axes of the result made of factors of the source's axes. A Reshape splits and joins
/// factors, a Transpose changes their order; so any chain of them is one order of factors.
/// </summary>
internal sealed class ElementOrder
{
    /// <summary>In the order of the source, the outermost first. Axes of one element have no factor.</summary>
    private readonly List<Factor> _source;

    private List<List<Factor>> _axes;

    /// <param name="shape">Without an axis of no elements.</param>
    public ElementOrder(IReadOnlyList<long> shape)
    {
        _axes = [.. shape.Select(size => size == 1 ? new List<Factor>() : [new Factor(size)])];
        _source = [.. _axes.SelectMany(a => a)];
    }

    /// <summary>Runs of elements that stay together: their lengths in the order of the source.</summary>
    /// <param name="order">Which of them stands at each place of the result.</param>
    public long[] Runs(out int[] order)
    {
        int[] places = [.. _axes.SelectMany(a => a).Select(f => _source.IndexOf(f))];
        int[] starts = [.. places.Where((place, i) => i == 0 || places[i - 1] + 1 != place)];
        int[] sorted = [.. starts.Order()];
        order = [.. starts.Select(s => Array.IndexOf(sorted, s))];
        return [.. sorted.Select((start, i) => _source[start..(i + 1 < sorted.Length ? sorted[i + 1] : _source.Count)].Aggregate(1L, (product, f) => product * f.Size))];
    }

    public void Transpose(IReadOnlyList<long> permutation) => _axes = [.. permutation.Select(axis => _axes[(int)axis])];

    /// <returns>False when an axis would begin within a factor that cannot be split there; the order is then of no use any more.</returns>
    public bool TryReshape(IReadOnlyList<long> shape)
    {
        var left = new LinkedList<Factor>(_axes.SelectMany(a => a));
        var axes = new List<List<Factor>>();
        foreach (long size in shape)
        {
            var axis = new List<Factor>();
            for (long open = size; open > 1; open /= axis[^1].Size)
            {
                if (left.First is not { Value: var next } || (open % next.Size != 0 && next.Size % open != 0))
                    return false;
                left.RemoveFirst();
                axis.Add(next.Size <= open ? next : SplitOff(next, open, left));
            }

            axes.Add(axis);
        }

        _axes = axes;
        return true;
    }

    private Factor SplitOff(Factor whole, long size, LinkedList<Factor> left)
    {
        Factor outer = new(size), inner = new(whole.Size / size);
        int place = _source.IndexOf(whole);
        _source[place] = outer;
        _source.Insert(place + 1, inner);
        left.AddFirst(inner);
        return outer;
    }

    /// <summary>Equal to itself only.</summary>
    private sealed class Factor(long size)
    {
        public long Size { get; } = size;
    }
}
