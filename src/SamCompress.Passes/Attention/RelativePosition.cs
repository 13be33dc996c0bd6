using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Attention;

/// <summary>The tables of relative positions as constants of a graph.</summary>
internal static class RelativePosition
{
    /// <summary>[rows + columns, rows * columns]: 1 where a key of a map stands in that row or that column.</summary>
    public static float[] OneHot(long rows, long columns)
    {
        long keys = rows * columns;
        var basis = new float[(rows + columns) * keys];
        for (long key = 0; key < keys; key++)
        {
            basis[(key / columns * keys) + key] = 1;
            basis[((rows + (key % columns)) * keys) + key] = 1;
        }

        return basis;
    }

    /// <summary>A table times a factor. Of a table that is gathered when the model is opened, the gathered one is multiplied, which is smaller.</summary>
    public static Value Scaled(GraphBuilder graph, Value table, double factor)
    {
        if (factor == 1)
            return table;
        if (table.Constant is { } constant)
            return graph.Constant(Scaled(constant, (float)factor), table.Name + "_scaled");
        Node node = table.Producer!;
        return node.OpType is "Gather" or "Slice" or "Reshape" or "Transpose"
            ? graph.Op(node.OpType, [Scaled(graph, node.Input(0)!, factor), .. node.Inputs.Skip(1)], node.Attributes)
            : graph.Mul(table, graph.Constant((float)factor));
    }

    /// <summary>Every <paramref name="interval"/>-th row and column of a table: the offsets within a phase of a dilated map, the same for all phases.</summary>
    public static Value Every(GraphBuilder graph, Value table, long interval) =>
        graph.Op("Slice", [table, graph.Vector(0, 0), graph.Vector(long.MaxValue, long.MaxValue), graph.Vector(0, 1), graph.Vector(interval, interval)]);

    /// <summary>The first rows and columns of a table: the offsets within a segment, the same for all segments.</summary>
    public static Value First(GraphBuilder graph, Value table, long count) =>
        graph.Op("Slice", [table, graph.Vector(0, 0), graph.Vector(count, count), graph.Vector(0, 1)]);

    private static Tensor Scaled(Tensor tensor, float factor) => Tensor.Lazy(ElementType.Float, tensor.Dimensions.AsSpan(), bytes =>
    {
        using TensorLease lease = tensor.Open();
        System.Numerics.Tensors.TensorPrimitives.Multiply(lease.As<float>(), factor, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes));
    });
}
