using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Runtime.Images.Embedded;

/// <summary>
/// Makes three channels of a grey JPEG in a graph, as <see cref="JpegFrame.WriteAsColor"/> and <see cref="JpegFrame.WriteEmptyChroma"/> do, since the decoder
/// overruns its buffer with one. Of a JPEG with another number of channels than one or three nothing is left, which the decoder refuses.
/// </summary>
internal static class GreyJpegGraph
{
    private const long ProgressiveFrame = 0xC2;

    /// <returns>uint8 [M]: the file, or what the decoder is given in its place.</returns>
    public static Value Decodable(GraphBuilder graph, Value file, FileWalk walk)
    {
        var bytes = new FileBytes(graph, file);
        Value channels = graph.Where(graph.Equal(walk.Frame, 0), graph.Vector(0), bytes.At(graph.Add(walk.Frame, graph.Vector(9))));
        Value isGrey = graph.And(graph.Not(walk.IsPng), graph.Equal(channels, 1));
        Value isKnown = graph.Or(walk.IsPng, graph.Equal(channels, 3));
        Value result = graph.Either(
            isGrey,
            branch => AsColor(branch, file, walk),
            branch => branch.Op("Slice", [file, branch.Vector(0), branch.Where(isKnown, bytes.Count, branch.Vector(0))]));
        result.Shape = new Shape(Dimension.Unknown);
        return result;
    }

    private static Value AsColor(GraphBuilder graph, Value file, FileWalk walk)
    {
        var bytes = new FileBytes(graph, file);
        Value header = bytes.At(graph.Add(walk.Frame, graph.Vector([.. Enumerable.Range(0, 13)])));
        Value isProgressive = graph.Equal(Header(1), ProgressiveFrame);
        Value frame = graph.Where(isProgressive, graph.Vector(ProgressiveFrame), graph.Vector(0xC1));
        Value y = Header(10), cb = Next(y), cr = Next(cb), noSubsampling = graph.Vector(0x11), table = Header(12);
        Value color = graph.Concat([graph.Vector(0xFF), frame, graph.Vector(0, 17), graph.Slice(header, 0, 4, 9), graph.Vector(3), y, noSubsampling, table, cb, noSubsampling, table, cr, noSubsampling, table], 0);
        Value behind = graph.Add(walk.Frame, graph.Add(graph.Vector(2), graph.Add(graph.Mul(Header(2), graph.Vector(256)), Header(3))));

        Value blocks = graph.Mul(Blocks(5), Blocks(7));
        Value bits = graph.Mul(blocks, graph.Where(isProgressive, graph.Vector(1), graph.Vector(2)));
        Value nothing = graph.Op("ConstantOfShape", [Eighths(bits)], [NodeAttribute.Of("value", Tensor.Of<byte>(ElementType.UInt8, [0], [1]))]);
        Value lastCoefficient = graph.Where(isProgressive, graph.Vector(0), graph.Vector(63));
        return graph.Concat(
            [
                bytes.Part(graph.Vector(0), walk.Frame),
                graph.Bytes(JpegFrame.Jfif),
                AsBytes(color),
                bytes.Part(behind, EndOfImage()),
                graph.Bytes(JpegFrame.EmptyChromaTables),
                Scan(cb), nothing,
                Scan(cr), nothing,
                graph.Bytes(0xFF, 0xD9),
            ],
            0);

        Value Header(long index) => graph.Slice(header, 0, index, index + 1);

        Value Next(Value id) => graph.Op("Mod", [graph.Add(id, graph.Vector(1)), graph.Vector(256)]);

        Value Eighths(Value count) => graph.Div(graph.Add(count, graph.Vector(7)), graph.Vector(8));

        Value Blocks(long index) => Eighths(graph.Add(graph.Mul(Header(index), graph.Vector(256)), Header(index + 1)));

        Value AsBytes(Value numbers) => graph.Cast(numbers, ElementType.UInt8);

        Value Scan(Value id) => AsBytes(graph.Concat([graph.Vector(0xFF, 0xDA, 0, 8, 1), id, graph.Vector(0, 0), lastCoefficient, graph.Vector(0)], 0));

        // In coded data FF is followed by a zero or a restart marker, and no table between scans can hold FF.
        Value EndOfImage()
        {
            Value coded = graph.Cast(bytes.Part(walk.Scans, bytes.Count), ElementType.Int32);
            Value isMarker = graph.And(graph.Equal(graph.Slice(coded, 0, 0, -1), Int32(0xFF)), graph.Equal(graph.Slice(coded, 0, 1, long.MaxValue), Int32(0xD9)));
            return graph.Add(walk.Scans, graph.FirstTrue(graph.Concat([isMarker, graph.Constant(Tensor.Of<bool>(ElementType.Bool, [true], [1]))], 0)));
        }

        Value Int32(int value) => graph.Constant(Tensor.Of<int>(ElementType.Int32, [value], [1]));
    }
}
