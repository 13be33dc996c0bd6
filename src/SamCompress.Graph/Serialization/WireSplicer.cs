using System.Globalization;
using System.Text.Unicode;

namespace SamCompress.IR.Serialization;

/// <summary>
/// Takes tensor bytes out of a serialized model, or puts them in, without parsing the rest: it walks the wire format with
/// 64-bit positions, finds the raw_data field of every tensor, exchanges the bodies asked for, and corrects the length
/// prefixes of the messages around them. Reading a model is a cut, writing one is a paste; what is left is the skeleton,
/// which is small and which Google.Protobuf can parse.
/// </summary>
internal sealed unsafe class WireSplicer
{
    /// <summary>Messages within messages. A subgraph adds three; Google.Protobuf itself stops at 100.</summary>
    public const int MaxDepth = 97;

    private readonly byte* _data;
    private readonly long _length;
    private readonly string _file;
    private readonly ReadLimits? _limits;
    private readonly List<Edit> _edits = [];
    private long _nodes;
    private long _tensors;

    private WireSplicer(byte* data, long length, string file, ReadLimits? limits)
    {
        _data = data;
        _length = length;
        _file = file;
        _limits = limits;
    }

    /// <summary>The bytes of one raw_data field.</summary>
    public readonly record struct RawData(long Offset, long Length);

    /// <summary>Gives the number of bytes that stand in for a body, or null to keep it.</summary>
    public delegate long? ReplacementLength(byte* data, RawData body);

    /// <summary>Walks a serialized model and notes what <paramref name="select"/> wants exchanged.</summary>
    /// <param name="file">For messages.</param>
    /// <param name="limits">Null for what was made here.</param>
    /// <exception cref="SamCompressException">The bytes are no well-formed message, or it is over a limit.</exception>
    public static WireSplicer Scan(byte* data, long length, string file, ReplacementLength select, ReadLimits? limits = null)
    {
        var splicer = new WireSplicer(data, length, file, limits);
        splicer.Walk(select);
        return splicer;
    }

    public bool HasEdits => _edits.Count > 0;

    /// <summary>The raw_data fields to be exchanged, in file order.</summary>
    public IEnumerable<RawData> Replaced => _edits.Where(e => e.IsBody).Select(e => new RawData(e.BodyStart, e.BodyLength));

    /// <summary>The length of the message after the exchange.</summary>
    /// <exception cref="SamCompressException">It is over the limit.</exception>
    public long ResultLength()
    {
        long length = _length;
        // Children stand behind their parents, so that going backwards every frame is complete when it is met.
        var growth = new long[_edits.Count];
        for (int i = _edits.Count - 1; i >= 0; i--)
        {
            Edit edit = _edits[i];
            edit.NewLength = edit.IsBody ? edit.NewLength : edit.BodyLength + growth[i];
            _edits[i] = edit;
            long change = edit.NewLength - edit.BodyLength + VarintSize(edit.NewLength) - (edit.BodyStart - edit.PrefixStart);
            if (edit.Parent < 0)
                length += change;
            else
                growth[edit.Parent] += change;
        }

        if (_limits is not null && length > _limits.MaxGraphBytes)
            throw OverLimit($"the graph has {length} bytes without the data of its big tensors, more than {_limits.MaxGraphBytes}", "--max-graph-size");
        return length;
    }

    /// <summary>Writes the message with the bodies exchanged; call <see cref="ResultLength"/> first.</summary>
    /// <param name="writeBody">Writes exactly the number of bytes that was promised for the body.</param>
    public void Write(Stream destination, Action<RawData, Stream> writeBody)
    {
        Span<byte> prefix = stackalloc byte[10];
        long position = 0;
        foreach (Edit edit in _edits)
        {
            CopyRange(position, edit.PrefixStart, destination);
            destination.Write(prefix[..WriteVarint(prefix, edit.NewLength)]);
            position = edit.BodyStart;
            if (!edit.IsBody)
                continue;
            writeBody(new RawData(edit.BodyStart, edit.BodyLength), destination);
            position += edit.BodyLength;
        }

        CopyRange(position, _length, destination);
    }

    private void Walk(ReplacementLength select)
    {
        const int RawDataField = 9;
        var open = new Stack<Frame>();
        var frame = new Frame(WireMessage.Model, 0, 0, _length) { Edit = -1 };
        long position = 0;
        while (true)
        {
            if (position == frame.End)
            {
                if (!open.TryPop(out frame))
                    return;
                continue;
            }

            long start = position;
            ulong tag = ReadVarint(ref position, frame.End);
            int field = (int)(tag >> 3);
            if (tag >> 3 is 0 or > 536_870_911)
                throw Malformed(start, $"field number {tag >> 3}");
            switch (tag & 7)
            {
                case 0:
                    ReadVarint(ref position, frame.End);
                    break;
                case 1:
                    position = Skip(position, 8, frame.End, start);
                    break;
                case 5:
                    position = Skip(position, 4, frame.End, start);
                    break;
                case 2:
                    long prefix = position;
                    ulong length = ReadVarint(ref position, frame.End);
                    if (length > (ulong)(frame.End - position))
                        throw Malformed(start, $"a field claims {length} bytes where {frame.End - position} are left");
                    var body = new RawData(position, (long)length);
                    if (frame.Kind == WireMessage.Tensor && field == RawDataField)
                    {
                        if (select(_data, body) is { } newLength)
                            _edits.Add(new Edit(prefix, position, (long)length, Note(open, ref frame)) { IsBody = true, NewLength = newLength });
                    }
                    else if (WireMessages.Child(frame.Kind, field) is var kind and not WireMessage.None)
                    {
                        if (open.Count + 2 > MaxDepth)
                            throw Malformed(start, $"messages nested deeper than {MaxDepth}");
                        Count(kind);
                        open.Push(frame);
                        frame = new Frame(kind, prefix, position, position + (long)length) { Edit = -1 };
                        break;
                    }
                    else if (WireMessages.IsText(frame.Kind, field))
                    {
                        CheckText(body, start);
                    }

                    position += (long)length;
                    break;
                default:
                    throw Malformed(start, $"wire type {tag & 7}");
            }
        }
    }

    private void Count(WireMessage kind)
    {
        if (_limits is null)
            return;
        if (kind == WireMessage.Node && ++_nodes > _limits.MaxNodes)
            throw OverLimit($"more than {_limits.MaxNodes} nodes", "--max-nodes");
        if (kind == WireMessage.Tensor && ++_tensors > _limits.MaxTensors)
            throw OverLimit($"more than {_limits.MaxTensors} initializers and other tensors", "--max-tensors");
    }

    private void CheckText(RawData body, long start)
    {
        if (_limits is not null && body.Length > _limits.MaxGraphBytes)
            throw OverLimit($"a text of {body.Length} bytes, more than {_limits.MaxGraphBytes}", "--max-graph-size");
        if (body.Length > int.MaxValue || !Utf8.IsValid(new ReadOnlySpan<byte>(_data + body.Offset, (int)body.Length)))
            throw Malformed(start, "text that is not UTF-8");
    }

    /// <summary>Notes the open messages, outer before inner, and returns the place of the innermost in the edits.</summary>
    private int Note(Stack<Frame> open, ref Frame innermost)
    {
        if (innermost.Edit >= 0)
            return innermost.Edit;
        Frame[] path = [.. open.Reverse(), innermost];
        int parent = -1;
        for (int i = 1; i < path.Length; i++)
        {
            if (path[i].Edit < 0)
            {
                path[i].Edit = _edits.Count;
                _edits.Add(new Edit(path[i].PrefixStart, path[i].Start, path[i].End - path[i].Start, parent));
            }

            parent = path[i].Edit;
        }

        open.Clear();
        foreach (Frame frame in path.AsSpan(0, path.Length - 1))
            open.Push(frame);
        innermost = path[^1];
        return innermost.Edit;
    }

    private ulong ReadVarint(ref long position, long end)
    {
        long start = position;
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            if (position >= end)
                throw Malformed(start, "the file ends inside a number");
            byte b = _data[position++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }

        throw Malformed(start, "a number of more than 10 bytes");
    }

    private long Skip(long position, int count, long end, long start) =>
        end - position >= count ? position + count : throw Malformed(start, "the file ends inside a field");

    private void CopyRange(long start, long end, Stream destination)
    {
        const int Piece = 1 << 20;
        for (; start < end; start += Piece)
            destination.Write(new ReadOnlySpan<byte>(_data + start, (int)Math.Min(Piece, end - start)));
    }

    private SamCompressException Malformed(long offset, string what) => new(
        FailureKind.InputRejected,
        string.Create(CultureInfo.InvariantCulture, $"not a well-formed ONNX file: {what} at byte {offset} of {_length}"),
        "the file may be cut off or damaged: fetch or export it again")
    {
        Location = _file,
    };

    /// <summary>The model has more than was allowed.</summary>
    private SamCompressException OverLimit(string what, string option) => new(
        FailureKind.InputRejected,
        string.Create(CultureInfo.InvariantCulture, $"{what}, which is the limit of {option}"),
        $"raise {option} if you trust the model.")
    {
        Location = _file,
    };

    private static int VarintSize(long value)
    {
        int size = 1;
        for (ulong rest = (ulong)value >> 7; rest != 0; rest >>= 7)
            size++;
        return size;
    }

    private static int WriteVarint(Span<byte> destination, long value)
    {
        int size = 0;
        ulong rest = (ulong)value;
        for (; rest >= 0x80; rest >>= 7)
            destination[size++] = (byte)(rest | 0x80);
        destination[size++] = (byte)rest;
        return size;
    }

    /// <summary>An open message: where its length prefix, its body and what follows it begin.</summary>
    private record struct Frame(WireMessage Kind, long PrefixStart, long Start, long End)
    {
        /// <summary>Its place in the edits, or -1 while no tensor in it is exchanged.</summary>
        public int Edit { get; set; }
    }

    /// <summary>A length prefix to rewrite, with the body behind it when that is exchanged too.</summary>
    private record struct Edit(long PrefixStart, long BodyStart, long BodyLength, int Parent)
    {
        public bool IsBody { get; init; }

        public long NewLength { get; set; }
    }
}
