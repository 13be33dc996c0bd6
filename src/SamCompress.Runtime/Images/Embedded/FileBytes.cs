using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Runtime.Images.Embedded;

/// <summary>Writes nodes that read the bytes of a file, a value of the graph or of one around it.</summary>
/// <param name="graph">Where the nodes go.</param>
/// <param name="file">uint8 [N].</param>
internal sealed class FileBytes(GraphBuilder graph, Value file)
{
    /// <summary>N, int64 [1].</summary>
    public Value Count { get; } = Typed(graph.Op("Shape", [file]), Shape.Of(1));

    /// <summary>The bytes at some places, as int64 of the same shape. A place behind the end reads the last byte.</summary>
    public Value At(Value places)
    {
        Value last = graph.Sub(Count, graph.Vector(1));
        return graph.Cast(graph.Op("Gather", [file, graph.Least(places, last)]), ElementType.Int64);
    }

    /// <summary>The bytes from one place to before another, uint8. Both are int64 [1].</summary>
    public Value Part(Value start, Value end) => graph.Op("Slice", [file, start, end]);

    private static Value Typed(Value value, Shape shape)
    {
        value.ElementType = ElementType.Int64;
        value.Shape = shape;
        return value;
    }
}
