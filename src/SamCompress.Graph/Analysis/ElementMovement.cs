namespace SamCompress.IR.Analysis;

/// <summary>Index arithmetic on the elements of small tensors, in row-major order.</summary>
internal static class ElementMovement
{
    /// <summary>The elements at the places that a function of the result's index names.</summary>
    public static Dimension[]? Gather(Dimension[] elements, long[] from, long[] to, Func<long[], long[]> source)
    {
        long count = to.Aggregate(1L, (product, d) => product * d);
        if (count > ShapeFacts.MostElements)
            return null;
        var result = new Dimension[count];
        var index = new long[to.Length];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = elements[Offset(source(index), from)];
            for (int axis = to.Length - 1; axis >= 0 && ++index[axis] == to[axis]; axis--)
                index[axis] = 0;
        }

        return result;
    }

    public static Dimension[]? Broadcast(Dimension[] elements, long[] from, long[] to) =>
        Gather(elements, from, to, index => [.. from.Select((d, axis) => d == 1 ? 0 : index[axis + to.Length - from.Length])]);

    public static Dimension[]? Transpose(Dimension[] elements, long[] from, int[] order)
    {
        long[] to = Array.ConvertAll(order, axis => from[axis]);
        return Gather(elements, from, to, index =>
        {
            var place = new long[from.Length];
            for (int i = 0; i < order.Length; i++)
                place[order[i]] = index[i];
            return place;
        });
    }

    private static long Offset(long[] index, long[] dimensions)
    {
        long offset = 0;
        for (int i = 0; i < index.Length; i++)
            offset = (offset * dimensions[i]) + index[i];
        return offset;
    }
}
