using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Runtime.Images.Embedded;

/// <summary>
/// Finds in a graph what stands where in a JPEG or PNG: a Loop goes from segment to segment, or from chunk to chunk, by their lengths, as
/// <see cref="JpegReader"/> and <see cref="PngReader"/> do. It takes as many rounds as there are segments before the first scan, or chunks.
/// </summary>
/// <param name="IsPng">bool [1]; otherwise the file counts as a JPEG.</param>
/// <param name="Tiff">int64 [1]: the first byte of the EXIF data; 0 when there is none.</param>
/// <param name="TiffEnd">int64 [1]: the byte behind it.</param>
/// <param name="Frame">int64 [1]: the marker of a JPEG's frame; 0 when there is none.</param>
/// <param name="Scans">int64 [1]: the byte behind the header of a JPEG's first scan.</param>
internal sealed record FileWalk(Value IsPng, Value Tiff, Value TiffEnd, Value Frame, Value Scans)
{
    private const byte PngStart = 0x89;
    private const byte Marker = 0xFF;

    /// <summary>How many bytes of a segment or chunk tell what it is: FF E1, length, "Exif", 0, 0; or length and type.</summary>
    private const int Seen = 10;

    /// <summary>In a pattern: any byte.</summary>
    private const long Any = -1;

    /// <summary>In a pattern: no byte.</summary>
    private const long None = -2;

    public static FileWalk Of(GraphBuilder graph, Value file)
    {
        Value first = graph.Cast(graph.Op("Gather", [file, graph.Vector(0)]), ElementType.Int64);
        Value isPng = graph.Equal(first, PngStart);
        Value kind = graph.Cast(isPng, ElementType.Int64);
        Layout layout = new(
            LengthWeights: Pick([0, 0, 256, 1, .. Times(0, 6)], [1 << 24, 1 << 16, 1 << 8, 1, .. Times(0, 6)]),
            ToNext: Pick([2], [12]),
            ToData: Pick([10], [8]),
            ToEnd: Pick([2], [8]),
            Exif: Pick([Marker, 0xE1, Any, Any, .. Text("Exif\0\0"u8)], [.. Times(Any, 4), .. Text("eXIf"u8), Any, Any]),
            Last: Pick([Marker, 0xDA, .. Times(Any, 8)], [.. Times(Any, 4), .. Text("IEND"u8), Any, Any]),
            Filler: Pick([Marker, Marker, .. Times(Any, 8)], [.. Times(None, Seen)]));

        var body = new Graph("segment", graph.Graph);
        WriteBody(new GraphBuilder(graph.Model, "segment", body), file, isPng, layout);
        Value zero = graph.Vector(0);
        IReadOnlyList<Value> ends = graph.Op(
            "Loop", [null, graph.Constant(Tensor.Of<bool>(ElementType.Bool, [true], [])), Pick([2], [8]), zero, zero, zero], 4, [NodeAttribute.Of("body", body)]);
        foreach (Value end in ends)
            (end.ElementType, end.Shape) = (ElementType.Int64, Shape.Of(1));
        return new FileWalk(isPng, ends[1], ends[2], ends[3], ends[0]);

        Value Pick(long[] jpeg, long[] png) => graph.Reshape(graph.Op("Gather", [graph.Constant(Tensor.Of([.. jpeg, .. png], 2, jpeg.Length)), kind]), jpeg.Length);
    }

    /// <summary>One round: (place, EXIF data, its end, frame) before => after, and whether there is another.</summary>
    private static void WriteBody(GraphBuilder graph, Value file, Value isPng, Layout layout)
    {
        Graph body = graph.Graph;
        body.AddInput(body.FreshName("round"), ElementType.Int64, Shape.Scalar);
        body.AddInput(body.FreshName("goes_on"), ElementType.Bool, Shape.Scalar);
        Value place = State("place"), tiff = State("tiff"), tiffEnd = State("tiff_end"), frame = State("frame");
        var bytes = new FileBytes(graph, file);
        Value seen = bytes.At(graph.Add(place, graph.Vector([.. Enumerable.Range(0, Seen)])));
        Value length = graph.Sum(graph.Mul(seen, layout.LengthWeights));
        Value next = graph.Add(place, graph.Add(layout.ToNext, length));
        Value isExif = Matches(layout.Exif);
        Value code = graph.Slice(seen, 0, 1, 2);
        Value isFrame = graph.And(graph.Not(isPng), graph.And(Matches(graph.Vector([Marker, .. Times(Any, Seen - 1)])), graph.Between(code, 0xC0, 0xC2)));
        Value after = graph.Where(Matches(layout.Filler), graph.Add(place, graph.Vector(1)), next);
        Value ends = graph.Or(Matches(layout.Last), graph.AtLeast(after, bytes.Count));
        foreach (Value result in (Value[])
            [
                graph.ToScalar(graph.Not(ends)),
                after,
                graph.Where(isExif, graph.Add(place, layout.ToData), tiff),
                graph.Where(isExif, graph.Add(place, graph.Add(layout.ToEnd, length)), tiffEnd),
                graph.Where(isFrame, place, frame),
            ])
        {
            body.AddOutput(result);
        }

        Value State(string name) => body.AddInput(body.FreshName(name), ElementType.Int64, Shape.Of(1));

        Value Matches(Value pattern)
        {
            Value differs = graph.And(graph.Not(graph.Equal(pattern, seen)), graph.Not(graph.Equal(pattern, Any)));
            return graph.Equal(graph.Sum(graph.Cast(differs, ElementType.Int64)), 0);
        }
    }

    private static IEnumerable<long> Times(long element, int count) => Enumerable.Repeat(element, count);

    private static long[] Text(ReadOnlySpan<byte> text) => [.. text.ToArray().Select(b => (long)b)];

    /// <summary>What differs between the two formats: patterns of the first bytes, and places relative to them.</summary>
    private sealed record Layout(Value LengthWeights, Value ToNext, Value ToData, Value ToEnd, Value Exif, Value Last, Value Filler);
}
