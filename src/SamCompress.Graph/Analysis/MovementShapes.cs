namespace SamCompress.IR.Analysis;

/// <summary>Operators that move, cut, repeat and join elements without computing on them.</summary>
internal static class MovementShapes
{
    public static void Register(ShapeFunctions functions)
    {
        functions.Add("Reshape", Reshape);
        functions.Add("Flatten", Flatten);
        functions.Add("Transpose", Transpose);
        functions.Add("Squeeze", Squeeze);
        functions.Add("Unsqueeze", Unsqueeze);
        functions.Add("Concat", Concat);
        functions.Add("Split", Split);
        functions.Add("Slice", Slice);
        functions.Add("Gather", Gather);
        functions.Add("GatherElements", n => n.Output(0, n.Type(0), n.Shape(1)));
        functions.Add("GatherND", GatherNd);
        functions.Add("Expand", Expand);
        functions.Add("Tile", Tile);
        functions.Add("Pad", Pad);
        functions.Add("Resize", Resize);
        functions.Add("Upsample", Resize);
        functions.Add("DepthToSpace", n => n.Output(0, n.Type(0), n.Shape(0) is { Rank: 4 } s ? BlockShape(s, n.Node.GetInt("blocksize", 0), toSpace: true) : null));
        functions.Add("SpaceToDepth", n => n.Output(0, n.Type(0), n.Shape(0) is { Rank: 4 } s ? BlockShape(s, n.Node.GetInt("blocksize", 0), toSpace: false) : null));
    }

    /// <summary>The result of Reshape, with the dimension behind -1 computed where the others are known.</summary>
    /// <exception cref="ShapeException">No tensor could be reshaped like that.</exception>
    public static Shape? Reshaped(Shape? input, IReadOnlyList<Dimension> target, bool allowZero)
    {
        var result = new Dimension[target.Count];
        int open = -1;
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = target[i];
            if (target[i].Value == -1)
            {
                if (open >= 0)
                    throw new ShapeException("the target shape has more than one -1");
                open = i;
                result[i] = Dimension.Unknown;
            }
            else if (target[i].Value == 0 && !allowZero)
            {
                if (input is not null && i >= input.Rank)
                    throw new ShapeException($"the target shape copies dimension {i} of an input of rank {input.Rank}");
                result[i] = input is null ? Dimension.Unknown : input[i];
            }
            else if (target[i].Value < 0)
            {
                throw new ShapeException($"the target shape has dimension {target[i]}");
            }
        }

        if (input is null)
            return new Shape(result);
        if (open >= 0)
            result[open] = Rest(input, [.. result.Where((_, i) => i != open)]);
        else if (input.ElementCount is { } before && new Shape(result).ElementCount is { } after && before != after)
            throw new ShapeException($"{before} elements cannot be reshaped to {NodeInference.Text(new Shape(result))}");
        else if (result.Count(d => d.IsUnknown()) == 1)
            result[Array.FindIndex(result, d => d.IsUnknown())] = Rest(input, [.. result.Where(d => !d.IsUnknown())]);
        return new Shape(result);
    }

    /// <summary>What is left of the elements when the other dimensions are taken out; names that are on both sides cancel.</summary>
    private static Dimension Rest(Shape input, List<Dimension> others)
    {
        var left = new List<Dimension>();
        foreach (Dimension d in input)
        {
            int same = d.Value is null ? others.FindIndex(o => o.IsSameAs(d)) : -1;
            if (same >= 0)
                others.RemoveAt(same);
            else
                left.Add(d);
        }

        Dimension[] open = [.. left.Where(d => d.Value is null)];
        if (others.Any(d => d.Value is null) || open.Length > 1)
            return Dimension.Unknown;
        long divisor = others.Aggregate(1L, (product, d) => checked(product * d.Value!.Value));
        long count = left.Where(d => d.Value is not null).Aggregate(1L, (product, d) => checked(product * d.Value!.Value));
        if (divisor == 0)
            return Dimension.Unknown;
        if (open.Length == 1)
            return count == divisor ? open[0] : Dimension.Unknown;
        return count % divisor == 0 ? count / divisor : throw new ShapeException($"{count} elements cannot be divided by {divisor}");
    }

    private static void Reshape(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Node.GetInts("shape") is { } attribute)
            n.Output(0, n.Type(0), Reshaped(n.Shape(0), [.. attribute.Select(Dimension.Of)], allowZero: false));
        else if (n.Elements(1) is { } elements)
            n.Output(0, n.Type(0), Reshaped(n.Shape(0), elements, n.Node.GetInt("allowzero", 0) != 0));
        else if (n.Shape(1) is { Rank: 1 } shape && shape[0].Value is { } rank && rank <= ShapeFacts.MostElements)
            n.Output(0, n.Type(0), new Shape(Enumerable.Repeat(Dimension.Unknown, (int)rank)));
        n.Elements(0, n.Elements(0));
    }

    private static void Flatten(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Shape(0) is not { } shape)
            return;
        long axis = n.Node.GetInt("axis", 1);
        int at = axis == shape.Rank ? shape.Rank : NodeInference.Axis(axis, shape.Rank);
        Dimension Product(IEnumerable<Dimension> dimensions) => dimensions.Aggregate(Dimension.Of(1), SymbolicDimension.Multiply);
        n.Output(0, n.Type(0), new Shape([Product(shape.Take(at)), Product(shape.Skip(at))]));
    }

    private static void Transpose(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Shape(0) is not { } shape)
            return;
        IReadOnlyList<long> order = n.Node.GetInts("perm") ?? [.. Enumerable.Range(0, shape.Rank).Reverse().Select(i => (long)i)];
        if (order.Count != shape.Rank)
            throw new ShapeException($"perm has {order.Count} entries for an input of rank {shape.Rank}");
        int[] axes = NodeInference.Axes(order, shape.Rank);
        n.Output(0, n.Type(0), new Shape(axes.Select(a => shape[a])));
        if (n.Elements(0) is { } elements && shape.ToStatic() is { } dimensions)
            n.Elements(0, ElementMovement.Transpose(elements, dimensions, axes));
    }

    private static void Squeeze(NodeInference n)
    {
        n.Output(0, n.Type(0));
        long[]? axes = n.IntsOrInput("axes", 1);
        if (n.Shape(0) is { } shape && (axes is not null || !n.HasInput(1)))
        {
            if (axes is null && !shape.IsStatic)
                return;
            int[] gone = axes is null ? [.. Enumerable.Range(0, shape.Rank).Where(i => shape[i].Value == 1)] : NodeInference.Axes(axes, shape.Rank);
            if (Array.Exists(gone, a => shape[a].Value is not (1 or null)))
                throw new ShapeException($"shape {NodeInference.Text(shape)} cannot be squeezed at axes [{string.Join(',', gone)}]");
            n.Output(0, n.Type(0), new Shape(shape.Where((_, i) => !gone.Contains(i))));
        }

        n.Elements(0, n.Elements(0));
    }

    private static void Unsqueeze(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Shape(0) is { } shape && n.IntsOrInput("axes", 1) is { } axes)
        {
            int rank = shape.Rank + axes.Length;
            int[] added = NodeInference.Axes(axes, rank);
            int source = 0;
            n.Output(0, n.Type(0), new Shape([.. Enumerable.Range(0, rank).Select(i => added.Contains(i) ? 1 : shape[source++])]));
        }

        n.Elements(0, n.Elements(0));
    }

    private static void Concat(NodeInference n)
    {
        n.Output(0, n.Type(0));
        Shape?[] shapes = [.. Enumerable.Range(0, n.InputCount).Select(n.Shape)];
        if (shapes.Any(s => s is null) || shapes.Length == 0)
            return;
        int rank = shapes[0]!.Rank;
        if (shapes.Any(s => s!.Rank != rank))
            throw new ShapeException("inputs of different rank cannot be joined");
        int axis = NodeInference.Axis(n.Node.GetInt("axis", 1), rank);
        var result = new Dimension[rank];
        for (int i = 0; i < rank; i++)
            result[i] = shapes.Select(s => s![i]).Aggregate(i == axis ? SymbolicDimension.Add : NodeInference.Unify);
        n.Output(0, n.Type(0), new Shape(result));
        if (rank == 1 && Array.TrueForAll(shapes, s => s!.IsStatic) && result[0].Value <= ShapeFacts.MostElements)
        {
            n.Elements(0, [.. Enumerable.Range(0, shapes.Length).SelectMany(i =>
                n.Elements(i) ?? Enumerable.Repeat(Dimension.Unknown, (int)shapes[i]![0].Value!.Value))]);
        }
    }

    private static void Split(NodeInference n)
    {
        int count = n.Node.Outputs.Count;
        for (int i = 0; i < count; i++)
            n.Output(i, n.Type(0));
        if (n.Shape(0) is not { } shape)
            return;
        int axis = NodeInference.Axis(n.Node.GetInt("axis", 0), shape.Rank);
        Dimension[]? parts = n.Node.GetInts("split") is { } attribute ? [.. attribute.Select(Dimension.Of)] : n.HasInput(1) ? n.Elements(1) : EqualParts(shape[axis], count);
        if (parts is null || parts.Length < count)
            return;
        if (parts.Aggregate(SymbolicDimension.Add).Value is { } sum && shape[axis].Value is { } length && sum != length)
            throw new ShapeException($"parts of {sum} in all do not make up dimension {length}");
        int start = 0;
        for (int i = 0; i < count; i++)
        {
            n.Output(i, n.Type(0), new Shape(shape.Select((d, a) => a == axis ? parts[i] : d)));
            if (shape.Rank != 1 || n.Elements(0) is not { } elements || parts[i].Value is not { } size)
                continue;
            n.Elements(i, elements[start..(start + (int)size)]);
            start += (int)size;
        }
    }

    private static Dimension[]? EqualParts(Dimension dimension, int count)
    {
        if (dimension.Value is not { } length)
            return null;
        long part = (length + count - 1) / count;
        return [.. Enumerable.Range(0, count).Select(i => (Dimension)Math.Max(Math.Min(part, length - (part * i)), 0))];
    }

    private static void Slice(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Shape(0) is not { } shape)
            return;
        bool attributes = n.Node.GetInts("starts") is not null;
        long[]? starts = n.IntsOrInput("starts", 1);
        Dimension[]? ends = n.Node.GetInts("ends") is { } e ? [.. e.Select(Dimension.Of)] : n.Elements(2);
        long[]? axes = n.IntsOrInput("axes", 3);
        if (axes is null && !attributes && n.HasInput(3))
        {
            n.Output(0, n.Type(0), new Shape(shape.Select(_ => Dimension.Unknown)));
            return;
        }

        int count = starts?.Length ?? ends?.Length ?? axes?.Length ?? 0;
        int[] along = NodeInference.Axes(axes ?? [.. Enumerable.Range(0, count).Select(i => (long)i)], shape.Rank);
        long[]? steps = n.HasInput(4) ? n.Integers(4) : [.. Enumerable.Repeat(1L, along.Length)];
        if (starts?.Length != along.Length || ends?.Length != along.Length || steps?.Length != along.Length)
        {
            n.Output(0, n.Type(0), along.Length == 0 ? new Shape(shape.Select(_ => Dimension.Unknown)) : new Shape(shape.Select((d, i) => along.Contains(i) ? Dimension.Unknown : d)));
            return;
        }

        Dimension[] result = [.. shape];
        var ranges = new (long Start, long Step)[shape.Rank];
        Array.Fill(ranges, (0, 1));
        for (int i = 0; i < along.Length; i++)
        {
            if (steps[i] == 0)
                throw new ShapeException("a step of 0");
            result[along[i]] = SliceLength(shape[along[i]], starts[i], ends[i], steps[i]);
            if (shape[along[i]].Value is { } length)
                ranges[along[i]] = (ClampStart(starts[i], length, steps[i]), steps[i]);
        }

        var output = new Shape(result);
        n.Output(0, n.Type(0), output);
        if (n.Elements(0) is { } elements && shape.ToStatic() is { } from && output.ToStatic() is { } to)
            n.Elements(0, ElementMovement.Gather(elements, from, to, index => [.. index.Select((x, axis) => ranges[axis].Start + (x * ranges[axis].Step))]));
    }

    private static Dimension SliceLength(Dimension dimension, long start, Dimension end, long step)
    {
        if (dimension.Value is not { } length)
        {
            if (step != 1)
                return Dimension.Unknown;
            bool toTheEnd = end.Value >= int.MaxValue || end.IsSameAs(dimension);
            if (start >= 0 && toTheEnd)
                return start == 0 ? dimension : Dimension.Unknown;
            return Dimension.Unknown;
        }

        if (end.Value is not { } to)
            return Dimension.Unknown;
        long from = ClampStart(start, length, step);
        if (to < 0)
            to += length;
        return step > 0
            ? Math.Max(0, (Math.Clamp(to, 0, length) - from + step - 1) / step)
            : Math.Max(0, (from - Math.Clamp(to, -1, length - 1) - step - 1) / -step);
    }

    private static long ClampStart(long start, long length, long step)
    {
        if (start < 0)
            start = start < -length ? 0 : start + length;
        return Math.Clamp(start, 0, step > 0 ? length : Math.Max(length - 1, 0));
    }

    private static void Gather(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Shape(0) is not { } data || n.Shape(1) is not { } indices)
            return;
        int axis = NodeInference.Axis(n.Node.GetInt("axis", 0), data.Rank);
        n.Output(0, n.Type(0), new Shape([.. data.Take(axis), .. indices, .. data.Skip(axis + 1)]));
        if (data.Rank != 1 || n.Elements(0) is not { } elements || n.Integers(1) is not { } places)
            return;
        if (Array.Exists(places, p => p < -elements.Length || p >= elements.Length))
            throw new ShapeException($"index out of range for {elements.Length} elements");
        n.Elements(0, Array.ConvertAll(places, p => elements[p < 0 ? p + elements.Length : p]));
    }

    private static void GatherNd(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Shape(0) is not { } data || n.Shape(1) is not { Rank: > 0 } indices || indices[indices.Rank - 1].Value is not { } depth)
            return;
        long batch = n.Node.GetInt("batch_dims", 0);
        if (depth + batch > data.Rank)
            throw new ShapeException($"indices of length {depth} for an input of rank {data.Rank}");
        n.Output(0, n.Type(0), new Shape([.. indices.SkipLast(1), .. data.Skip((int)(batch + depth))]));
    }

    private static void Expand(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Elements(1) is not { } target)
        {
            if (n.Shape(0) is { } known && n.Shape(1) is { Rank: 1 } length && length[0].Value is { } count && count <= ShapeFacts.MostElements)
                n.Output(0, n.Type(0), new Shape(Enumerable.Repeat(Dimension.Unknown, Math.Max((int)count, known.Rank))));
            return;
        }

        if (n.Shape(0) is not { } shape || NodeInference.Broadcast(shape, new Shape(target)) is not { } result)
            return;
        n.Output(0, n.Type(0), result);
        if (n.Elements(0) is { } elements && shape.ToStatic() is { } from && result.ToStatic() is { } to)
            n.Elements(0, ElementMovement.Broadcast(elements, from, to));
    }

    private static void Tile(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Shape(0) is not { } shape)
            return;
        Dimension[]? repeats = n.Elements(1);
        if (repeats is not null && repeats.Length != shape.Rank)
            throw new ShapeException($"{repeats.Length} repeats for an input of rank {shape.Rank}");
        n.Output(0, n.Type(0), new Shape(shape.Select((d, i) => repeats is null ? Dimension.Unknown : SymbolicDimension.Multiply(d, repeats[i]))));
    }

    private static void Pad(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Shape(0) is not { } shape)
            return;
        Dimension[]? pads = n.Node.GetInts("pads") is { } attribute ? [.. attribute.Select(Dimension.Of)] : n.Elements(1);
        long[]? axes = n.HasInput(3) ? n.Integers(3) : [.. Enumerable.Range(0, shape.Rank).Select(i => (long)i)];
        Dimension[] result = [.. shape];
        if (pads is null || axes is null)
        {
            Array.Fill(result, Dimension.Unknown);
        }
        else
        {
            int[] padded = NodeInference.Axes(axes, shape.Rank);
            if (pads.Length != 2 * padded.Length)
                throw new ShapeException($"{pads.Length} pads for {padded.Length} axes");
            for (int i = 0; i < padded.Length; i++)
                result[padded[i]] = SymbolicDimension.Add(result[padded[i]], SymbolicDimension.Add(pads[i], pads[i + padded.Length]));
        }

        n.Output(0, n.Type(0), new Shape(result));
    }

    private static void Resize(NodeInference n)
    {
        n.Output(0, n.Type(0));
        if (n.Shape(0) is not { } shape)
            return;
        // Resize 10 and Upsample have (X, scales); from 11 on it is (X, roi, scales, sizes).
        bool isOld = n.Node.OpType == "Upsample" || n.Opset < 11;
        float[]? scales = n.Node.Attribute("scales")?.Floats.ToArray() ?? n.Floats(isOld ? 1 : 2);
        Dimension[]? sizes = isOld ? null : n.Elements(3);
        int[] axes = n.Node.GetInts("axes") is { } given ? NodeInference.Axes(given, shape.Rank) : [.. Enumerable.Range(0, shape.Rank)];
        Dimension[] result = [.. shape];
        bool stretches = n.Node.GetString("keep_aspect_ratio_policy", "stretch") == "stretch";
        bool crops = n.Node.GetString("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";
        for (int i = 0; i < axes.Length; i++)
        {
            Dimension d = shape[axes[i]];
            if (sizes?.Length == axes.Length && stretches)
                result[axes[i]] = sizes[i];
            else if (scales?.Length == axes.Length && sizes is null && !crops && d.Value is { } length)
                result[axes[i]] = (long)Math.Floor(length * scales[i]);
            else
                result[axes[i]] = scales?.Length == axes.Length && scales[i] == 1 ? d : Dimension.Unknown;
        }

        n.Output(0, n.Type(0), new Shape(result));
    }

    private static Shape? BlockShape(Shape s, long block, bool toSpace)
    {
        if (block <= 0)
            throw new ShapeException("blocksize must be positive");
        Dimension Scaled(Dimension d, long multiply, long divide) => d.Value is { } value ? value * multiply / divide : Dimension.Unknown;
        return toSpace
            ? new Shape([s[0], Scaled(s[1], 1, block * block), Scaled(s[2], block, 1), Scaled(s[3], block, 1)])
            : new Shape([s[0], Scaled(s[1], block * block, 1), Scaled(s[2], 1, block), Scaled(s[3], 1, block)]);
    }
}
