using Tp = System.Numerics.Tensors.TensorPrimitives;

namespace SamCompress.Testing.Reference;

/// <summary>Operators that look at all elements along axes.</summary>
internal static class ReductionReference
{
    public static void AddTo(Action<string, Func<ReferenceCall, ReferenceTensor>> add)
    {
        add("ReduceSum", call => Reduce(call, v => Tp.Sum<double>(v)));
        add("ReduceMean", call => Reduce(call, Mean));
        add("ReduceMax", call => Reduce(call, v => Tp.Max<double>(v)));
        add("ReduceMin", call => Reduce(call, v => Tp.Min<double>(v)));
        add("ReduceSumSquare", call => Reduce(call, v => Tp.SumOfSquares<double>(v)));
        add("ReduceL2", call => Reduce(call, v => Tp.Norm<double>(v)));
        add("Softmax", call => AlongAxis(call, (x, y) =>
        {
            LogSoftmax(x, y);
            Tp.Exp<double>(y, y);
        }));
        add("LogSoftmax", call => AlongAxis(call, LogSoftmax));
    }

    public static double Mean(double[] elements) => Tp.Sum<double>(elements) / elements.Length;

    public static ReferenceTensor Reduce(ReferenceTensor x, int[] axes, bool keep, Func<double[], double> function)
    {
        int[] along = [.. axes.Order()], others = [.. Enumerable.Range(0, x.Rank).Except(along)], strides = x.Strides();
        int[] outside = Starts(others), inside = Starts(along);
        double[] data = new double[outside.Length];
        Parallel.For(0, data.Length, n => data[n] = function(Array.ConvertAll(inside, i => x.Data[outside[n] + i])));
        return new ReferenceTensor(x.Type, keep ? [.. x.Shape.Select((d, i) => along.Contains(i) ? 1 : d)] : [.. others.Select(i => x.Shape[i])], data);

        int[] Starts(int[] some) => [.. ElementwiseReference.Walk([.. some.Select(i => x.Shape[i])], [.. some.Select(i => strides[i])]).Select(at => at[0])];
    }

    private static ReferenceTensor Reduce(ReferenceCall call, Func<double[], double> function)
    {
        int[]? axes = call.Ints(1, "axes");
        if (axes is null or [])
        {
            if (call.Node.GetInt("noop_with_empty_axes", 0) != 0)
                return call[0];
            axes = [.. Enumerable.Range(0, call[0].Rank)];
        }

        return Reduce(call[0], [.. axes.Select(a => ReferenceCall.Place(a, call[0].Rank))], call.Node.GetInt("keepdims", 1) != 0, function);
    }

    private static ReferenceTensor AlongAxis(ReferenceCall call, Action<double[], double[]> function)
    {
        if (call.Opset < 13)
            throw call.Unsupported("before opset 13");
        ReferenceTensor x = call[0];
        int axis = call.Axis("axis", -1, x.Rank), size = x.Shape[axis], inner = ReferenceTensor.CountOf(x.Shape[(axis + 1)..]);
        double[] data = new double[x.Data.Length];
        Parallel.For(0, data.Length / Math.Max(size, 1), n =>
        {
            int start = (n / inner * inner * size) + (n % inner);
            double[] from = new double[size], to = new double[size];
            for (int i = 0; i < size; i++)
                from[i] = x.Data[start + (i * inner)];
            function(from, to);
            for (int i = 0; i < size; i++)
                data[start + (i * inner)] = to[i];
        });
        return x with { Data = data };
    }

    private static void LogSoftmax(double[] x, double[] y)
    {
        double most = x.Max();
        double sum = Math.Log(x.Sum(v => Math.Exp(v - most))) + most;
        for (int i = 0; i < x.Length; i++)
            y[i] = x[i] - sum;
    }
}
