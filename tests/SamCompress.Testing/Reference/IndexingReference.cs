namespace SamCompress.Testing.Reference;

/// <summary>Operators that read or write elements at given places.</summary>
internal static class IndexingReference
{
    public static void AddTo(Action<string, Func<ReferenceCall, ReferenceTensor>> add)
    {
        add("Gather", Gather);
        add("GatherElements", GatherElements);
        add("GatherND", GatherNd);
        add("ScatterElements", ScatterElements);
        add("ScatterND", ScatterNd);
        add("OneHot", OneHot);
    }

    private static ReferenceTensor Gather(ReferenceCall call)
    {
        ReferenceTensor x = call[0], indices = call[1];
        int axis = call.Axis("axis", 0, x.Rank), size = x.Shape[axis], inner = ReferenceTensor.CountOf(x.Shape[(axis + 1)..]), outer = ReferenceTensor.CountOf(x.Shape[..axis]);
        double[] data = new double[outer * indices.Data.Length * inner];
        for (int n = 0; n < outer; n++)
        {
            for (int i = 0; i < indices.Data.Length; i++)
                x.Data.AsSpan(((n * size) + ReferenceCall.Place((int)indices.Data[i], size)) * inner, inner).CopyTo(data.AsSpan(((n * indices.Data.Length) + i) * inner));
        }

        return new ReferenceTensor(x.Type, [.. x.Shape[..axis], .. indices.Shape, .. x.Shape[(axis + 1)..]], data);
    }

    private static ReferenceTensor GatherElements(ReferenceCall call)
    {
        int axis = call.Axis("axis", 0, call[0].Rank);
        double[] data = new double[call[1].Data.Length];
        foreach ((int place, int target) in Places(call[0], call[1], axis))
            data[place] = call[0].Data[target];
        return new ReferenceTensor(call[0].Type, call[1].Shape, data);
    }

    private static ReferenceTensor ScatterElements(ReferenceCall call)
    {
        int axis = call.Axis("axis", 0, call[0].Rank);
        double[] data = [.. call[0].Data];
        bool adds = Adds(call);
        foreach ((int place, int target) in Places(call[0], call[1], axis))
            data[target] = call[2].Data[place] + (adds ? data[target] : 0);
        return call[0] with { Data = data };
    }

    /// <summary>For each element of the indices the place that it names in a tensor.</summary>
    private static IEnumerable<(int Place, int Target)> Places(ReferenceTensor x, ReferenceTensor indices, int axis)
    {
        int[] strides = x.Strides();
        int[] others = [.. strides.Select((s, i) => i == axis ? 0 : s)];
        int place = 0;
        foreach (int[] at in ElementwiseReference.Walk(indices.Shape, others))
        {
            yield return (place, at[0] + (ReferenceCall.Place((int)indices.Data[place], x.Shape[axis]) * strides[axis]));
            place++;
        }
    }

    private static ReferenceTensor GatherNd(ReferenceCall call)
    {
        if (call.Node.GetInt("batch_dims", 0) != 0)
            throw call.Unsupported("batch_dims");
        int length = call[1].Shape[^1], inner = ReferenceTensor.CountOf(call[0].Shape[length..]);
        double[] data = new double[call[1].Data.Length / length * inner];
        for (int n = 0; n < data.Length / inner; n++)
            call[0].Data.AsSpan(Start(call[0], call[1], n), inner).CopyTo(data.AsSpan(n * inner));
        return new ReferenceTensor(call[0].Type, [.. call[1].Shape[..^1], .. call[0].Shape[length..]], data);
    }

    private static ReferenceTensor ScatterNd(ReferenceCall call)
    {
        int length = call[1].Shape[^1], inner = ReferenceTensor.CountOf(call[0].Shape[length..]);
        double[] data = [.. call[0].Data];
        bool adds = Adds(call);
        for (int n = 0; n < call[1].Data.Length / length; n++)
        {
            int start = Start(call[0], call[1], n);
            for (int i = 0; i < inner; i++)
                data[start + i] = call[2].Data[(n * inner) + i] + (adds ? data[start + i] : 0);
        }

        return call[0] with { Data = data };
    }

    /// <summary>The first element of the slice that the n-th tuple of indices names.</summary>
    private static int Start(ReferenceTensor x, ReferenceTensor indices, int n)
    {
        int[] strides = x.Strides();
        int length = indices.Shape[^1];
        return Enumerable.Range(0, length).Sum(i => ReferenceCall.Place((int)indices.Data[(n * length) + i], x.Shape[i]) * strides[i]);
    }

    private static bool Adds(ReferenceCall call) => call.Node.GetString("reduction", "none") switch
    {
        "none" => false,
        "add" => true,
        var other => throw call.Unsupported(other),
    };

    private static ReferenceTensor OneHot(ReferenceCall call)
    {
        int depth = (int)call[1].Data[0], axis = call.Axis("axis", -1, call[0].Rank + 1), inner = ReferenceTensor.CountOf(call[0].Shape[axis..]);
        double[] data = new double[call[0].Data.Length * depth];
        for (int n = 0; n < data.Length; n++)
        {
            int index = (int)call[0].Data[(n / (inner * depth) * inner) + (n % inner)];
            data[n] = call[2].Data[index == n / inner % depth || index + depth == n / inner % depth ? 1 : 0];
        }

        return new ReferenceTensor(call[2].Type, [.. call[0].Shape[..axis], depth, .. call[0].Shape[axis..]], data);
    }
}
