using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Runtime.Images.Embedded;

/// <summary>Reads the orientation in EXIF data in a graph, as <see cref="ExifOrientation"/> does: 1 when there is none or the data is malformed.</summary>
internal static class ExifGraph
{
    private const long Tag = 0x0112;
    private const long ShortType = 3;
    private const long EntryLength = 12;
    private const long HeaderLength = 8;

    /// <returns>int64 [1], 1 to 8.</returns>
    public static Value Orientation(GraphBuilder graph, Value file, FileWalk walk)
    {
        var bytes = new FileBytes(graph, file);
        Value length = graph.Sub(walk.TiffEnd, walk.Tiff);
        Value order = At(graph.Vector(0, 1));
        Value isLittle = graph.Equal(graph.Slice(order, 0, 0, 1), 'I');
        Value pair = graph.Where(isLittle, graph.Vector(1, 256), graph.Vector(256, 1));
        Value quad = graph.Where(isLittle, graph.Vector(1, 1 << 8, 1 << 16, 1 << 24), graph.Vector(1 << 24, 1 << 16, 1 << 8, 1));
        Value isOrder = graph.And(
            graph.Equal(graph.Slice(order, 0, 0, 1), graph.Slice(order, 0, 1, 2)),
            graph.Or(isLittle, graph.Equal(graph.Slice(order, 0, 0, 1), 'M')));

        Value directory = graph.Sum(graph.Mul(At(graph.Vector(4, 5, 6, 7)), quad));
        Value left = graph.Sub(length, graph.Add(directory, graph.Vector(2)));
        Value isTiff = graph.And(isOrder, graph.And(graph.AtLeast(length, graph.Vector(HeaderLength)), graph.AtLeast(left, graph.Vector(0))));
        Value claimed = graph.Sum(graph.Mul(At(graph.Add(directory, graph.Vector(0, 1))), pair));
        Value fitting = graph.Least(claimed, graph.Div(left, graph.Vector(EntryLength)));
        Value count = graph.Where(isTiff, fitting, graph.Vector(0));

        // For each entry: tag, type and the first half of the value.
        Value numbers = graph.Op("Range", [graph.Constant(Tensor.Scalar(0L)), graph.ToScalar(count), graph.Constant(Tensor.Scalar(1L))]);
        Value starts = graph.Add(graph.Add(directory, graph.Vector(2)), graph.Mul(numbers, graph.Vector(EntryLength)));
        Value places = graph.Add(graph.Reshape(starts, -1, 1, 1), graph.Constant(Tensor.Of([0L, 1, 2, 3, 8, 9], 1, 3, 2)));
        Value fields = graph.Sum(graph.Mul(At(places), pair));
        Value isOrientation = graph.And(graph.Equal(Field(0), Tag), graph.Equal(Field(1), ShortType));

        // An entry at the end that always fits says 1: so the first that fits is taken, and there is one.
        Value found = graph.FirstTrue(graph.Concat([isOrientation, graph.Constant(Tensor.Of<bool>(ElementType.Bool, [true], [1]))], 0));
        Value value = graph.Op("Gather", [graph.Concat([Field(2), graph.Vector(1)], 0), found]);
        return graph.Where(graph.Between(value, 1, 8), value, graph.Vector(1));

        Value At(Value places) => bytes.At(graph.Add(walk.Tiff, places));

        Value Field(long index) => graph.Reshape(graph.Slice(fields, 1, index, index + 1), -1);
    }
}
