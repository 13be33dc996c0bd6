using SamCompress.IR;

namespace SamCompress.Testing.Reference;

/// <summary>Operators that move elements and know nothing of their values.</summary>
internal static class MovementReference
{
    public static void AddTo(Action<string, Func<ReferenceCall, ReferenceTensor>> add)
    {
        add("Reshape", Reshape);
        add("Squeeze", Squeeze);
        add("Unsqueeze", Unsqueeze);
        add("Flatten", Flatten);
        add("Transpose", Transpose);
        add("Slice", Slice);
        add("Pad", Pad);
        add("Concat", Concat);
        add("Expand", call => Move(call[0], ElementwiseReference.Broadcast(call[0].Shape, call.Ints(1)!), shape => ElementwiseReference.Steps(call[0], shape)));
        add("Tile", Tile);
        add("Shape", Shape);
        add("Constant", call => ReferenceTensor.Of(call.Node.Attribute("value")?.Tensor ?? throw call.Unsupported("no tensor")));
        add("ConstantOfShape", ConstantOfShape);
    }

    public static IReadOnlyList<ReferenceTensor> Split(ReferenceCall call)
    {
        ReferenceTensor x = call[0];
        int axis = call.Axis("axis", 0, x.Rank), parts = call.Node.Outputs.Count;
        int even = (x.Shape[axis] + parts - 1) / parts;
        int[] sizes = call.Ints(1, "split") ?? [.. Enumerable.Range(0, parts).Select(i => Math.Min(even, x.Shape[axis] - (i * even)))];
        int start = 0;
        return [.. sizes.Select(size => Cut(x, axis, (start += size) - size, size))];
    }

    /// <summary>Takes elements in strides: the tensor of a shape, each axis of which walks by its own steps.</summary>
    private static ReferenceTensor Move(ReferenceTensor x, int[] shape, Func<int[], int[]> steps, int start = 0)
    {
        double[] data = new double[ReferenceTensor.CountOf(shape)];
        int next = 0;
        foreach (int[] at in ElementwiseReference.Walk(shape, steps(shape)))
            data[next++] = x.Data[start + at[0]];
        return x with { Shape = shape, Data = data };
    }

    private static ReferenceTensor Cut(ReferenceTensor x, int axis, int start, int size) =>
        Move(x, [.. x.Shape.Select((d, i) => i == axis ? size : d)], _ => x.Strides(), start * x.Strides()[axis]);

    private static ReferenceTensor Reshape(ReferenceCall call)
    {
        int[] shape = [.. call.Ints(1, "shape")!];
        for (int i = 0; i < shape.Length; i++)
        {
            if (shape[i] == 0 && call.Node.GetInt("allowzero", 0) == 0)
                shape[i] = call[0].Shape[i];
        }

        if (Array.IndexOf(shape, -1) is var open and >= 0)
        {
            shape[open] = 1;
            shape[open] = call[0].Data.Length / ReferenceTensor.CountOf(shape);
        }

        return call[0] with { Shape = shape };
    }

    private static ReferenceTensor Squeeze(ReferenceCall call)
    {
        int[]? axes = call.Ints(1, "axes");
        return call[0] with { Shape = [.. call[0].Shape.Where((d, i) => axes is null ? d != 1 : !axes.Contains(i) && !axes.Contains(i - call[0].Rank))] };
    }

    private static ReferenceTensor Unsqueeze(ReferenceCall call)
    {
        int[] axes = call.Ints(1, "axes")!;
        int rank = call[0].Rank + axes.Length, next = 0;
        int[] places = [.. axes.Select(a => ReferenceCall.Place(a, rank))];
        return call[0] with { Shape = [.. Enumerable.Range(0, rank).Select(i => places.Contains(i) ? 1 : call[0].Shape[next++])] };
    }

    private static ReferenceTensor Flatten(ReferenceCall call)
    {
        int rows = ReferenceTensor.CountOf(call[0].Shape[..call.Axis("axis", 1, call[0].Rank)]);
        return call[0] with { Shape = [rows, call[0].Data.Length / rows] };
    }

    private static ReferenceTensor Transpose(ReferenceCall call)
    {
        int[] order = call.Node.GetInts("perm") is { } given ? [.. given.Select(p => (int)p)] : [.. Enumerable.Range(0, call[0].Rank).Reverse()], strides = call[0].Strides();
        return Move(call[0], [.. order.Select(p => call[0].Shape[p])], _ => [.. order.Select(p => strides[p])]);
    }

    private static ReferenceTensor Slice(ReferenceCall call)
    {
        ReferenceTensor x = call[0];
        int[] starts = call.Ints(1)!, ends = call.Ints(2)!, axes = call.Ints(3) ?? [.. Enumerable.Range(0, starts.Length)], by = call.Ints(4) ?? [.. Enumerable.Repeat(1, starts.Length)];
        int[] shape = [.. x.Shape], steps = x.Strides();
        int start = 0;
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = ReferenceCall.Place(axes[i], x.Rank), size = x.Shape[axis];
            long first = Limit(starts[i]), last = Limit(ends[i]);
            start += (int)first * steps[axis];
            shape[axis] = (int)Math.Max(0, Math.Ceiling((last - first) / (double)by[i]));
            steps[axis] *= by[i];

            long Limit(int place) => by[i] > 0 ? Math.Clamp(place < 0 ? (long)place + size : place, 0, size) : Math.Clamp(place < 0 ? (long)place + size : place, -1, size - 1);
        }

        return Move(x, shape, _ => steps, start);
    }

    private static ReferenceTensor Pad(ReferenceCall call)
    {
        if (call.Node.GetString("mode", "constant") is var mode && mode is not ("constant" or "edge" or "reflect"))
            throw call.Unsupported(mode);
        ReferenceTensor x = call[0];
        int[] pads = call.Ints(1, "pads")!, axes = call.Ints(3) ?? [.. Enumerable.Range(0, x.Rank)], strides = x.Strides();
        int[] before = new int[x.Rank], shape = [.. x.Shape];
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = ReferenceCall.Place(axes[i], x.Rank);
            before[axis] = pads[i];
            shape[axis] += pads[i] + pads[axes.Length + i];
        }

        double value = call.Optional(2)?.Data[0] ?? 0;
        int[] places = ReferenceTensor.StridesOf(shape);
        double[] data = new double[ReferenceTensor.CountOf(shape)];
        for (int n = 0; n < data.Length; n++)
        {
            int at = 0;
            bool inside = true;
            for (int axis = 0; axis < x.Rank; axis++)
            {
                int i = (n / places[axis] % shape[axis]) - before[axis], size = x.Shape[axis];
                inside &= i >= 0 && i < size;
                i = mode == "reflect" && size > 1 ? Math.Abs(((i % ((2 * size) - 2)) + (3 * size) - 3) % ((2 * size) - 2) - (size - 1)) : i;
                at += Math.Clamp(i, 0, size - 1) * strides[axis];
            }

            data[n] = inside || mode != "constant" ? x.Data[at] : value;
        }

        return x with { Shape = shape, Data = data };
    }

    private static ReferenceTensor Concat(ReferenceCall call)
    {
        int axis = call.Axis("axis", 0, call[0].Rank);
        ReferenceTensor[] parts = [.. Enumerable.Range(0, call.Count).Select(i => call[i])];
        int[] shape = [.. call[0].Shape];
        shape[axis] = parts.Sum(p => p.Shape[axis]);
        double[] data = new double[ReferenceTensor.CountOf(shape)];
        int inner = ReferenceTensor.CountOf(shape[(axis + 1)..]), outer = ReferenceTensor.CountOf(shape[..axis]), next = 0;
        for (int n = 0; n < outer; n++)
        {
            foreach (ReferenceTensor part in parts)
            {
                int length = part.Shape[axis] * inner;
                part.Data.AsSpan(n * length, length).CopyTo(data.AsSpan(next));
                next += length;
            }
        }

        return new ReferenceTensor(call[0].Type, shape, data);
    }

    private static ReferenceTensor Tile(ReferenceCall call)
    {
        ReferenceTensor x = call[0];
        for (int axis = 0; axis < x.Rank; axis++)
        {
            int times = call.Ints(1)![axis], inner = ReferenceTensor.CountOf(x.Shape[axis..]);
            double[] data = new double[x.Data.Length * times];
            for (int n = 0; n < data.Length; n++)
                data[n] = x.Data[(n / (inner * times) * inner) + (n % inner)];
            x = x with { Shape = [.. x.Shape.Select((d, i) => i == axis ? d * times : d)], Data = data };
        }

        return x;
    }

    private static ReferenceTensor Shape(ReferenceCall call)
    {
        int[] shape = call[0].Shape;
        int start = Math.Clamp(call.Axis("start", 0, shape.Length), 0, shape.Length), end = Math.Clamp(call.Axis("end", shape.Length, shape.Length), 0, shape.Length);
        double[] sizes = [.. shape[start..Math.Max(start, end)].Select(d => (double)d)];
        return new ReferenceTensor(ElementType.Int64, [sizes.Length], sizes);
    }

    private static ReferenceTensor ConstantOfShape(ReferenceCall call)
    {
        ReferenceTensor? value = call.Node.Attribute("value") is { } given ? ReferenceTensor.Of(given.Tensor) : null;
        double[] data = new double[ReferenceTensor.CountOf(call.Ints(0)!)];
        Array.Fill(data, value?.Data[0] ?? 0);
        return new ReferenceTensor(value?.Type ?? ElementType.Float, call.Ints(0)!, data);
    }
}
