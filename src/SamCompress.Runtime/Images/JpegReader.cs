using System.Buffers.Binary;

namespace SamCompress.Runtime.Images;

/// <summary>
/// Reads the markers of a JPEG (ITU-T T.81, annex B), checks every table and header, and keeps what a decoder needs.
/// The checks are complete on purpose: the decoder of ONNX Runtime Extensions ends the process when libjpeg meets a bad table,
/// waits for ever when the file is cut, and writes beyond its buffer when there is one channel.
/// </summary>
internal sealed class JpegReader
{
    private const byte StartOfImage = 0xD8;
    private const byte EndOfImage = 0xD9;
    private const byte StartOfScan = 0xDA;
    private const byte HuffmanTables = 0xC4;
    private const byte QuantizationTables = 0xDB;
    private const byte RestartInterval = 0xDD;
    private const byte Application0 = 0xE0;
    private const byte Application1 = 0xE1;
    private const byte Application14 = 0xEE;
    private const byte Application15 = 0xEF;
    private const byte Comment = 0xFE;
    private const byte BaselineFrame = 0xC0;
    private const byte ExtendedFrame = 0xC1;
    private const byte ProgressiveFrame = 0xC2;
    private const int MaxSide = 65_500;

    private readonly bool[] _quantizationTables = new bool[4];
    private readonly bool[,] _huffmanTables = new bool[2, 4];
    private readonly PictureLimits _limits;
    private readonly MemoryStream _encoded;
    private JpegFrame? _frame;
    private int _orientation = 1;
    private bool _isComplete;

    private JpegReader(MemoryStream encoded, PictureLimits limits)
    {
        _encoded = encoded;
        _limits = limits;
    }

    public static bool IsJpeg(ReadOnlySpan<byte> bytes) => bytes.StartsWith([(byte)0xFF, StartOfImage, (byte)0xFF]);

    /// <exception cref="InvalidDataException">Malformed, cut, of a kind that is not supported, or over a limit.</exception>
    public static PictureFile Read(ReadOnlyMemory<byte> file, PictureLimits limits)
    {
        using var encoded = new MemoryStream(file.Length);
        return new JpegReader(encoded, limits).Read(file.Span);
    }

    private PictureFile Read(ReadOnlySpan<byte> bytes)
    {
        _encoded.Write([0xFF, StartOfImage]);
        int scans = 0;
        int position = 2;
        for (int segments = 0; ; segments++)
        {
            if (segments == _limits.MaxChunks)
                throw new InvalidDataException($"has more than {_limits.MaxChunks} segments");
            byte marker = NextMarker(bytes, ref position);
            if (marker == EndOfImage)
                break;
            ReadOnlySpan<byte> data = Segment(bytes, ref position);
            int start = position - data.Length - 4;
            bool isKept = Check(marker, data);
            if (marker == StartOfScan)
            {
                if (++scans > _limits.MaxScans)
                    throw new InvalidDataException($"has more than {_limits.MaxScans} scans");
                position = EndOfEntropyCodedData(bytes, position);
            }

            if (isKept)
                _encoded.Write(bytes[start..position]);
        }

        if (_frame is not { } frame || scans == 0)
            throw new InvalidDataException("has no picture data");
        var remarks = new List<string>();
        if (frame.Components.Count == 1)
        {
            frame.WriteEmptyChroma(_encoded);
            remarks.Add("grey is copied to three channels");
        }

        if (_orientation != 1)
            remarks.Add($"EXIF orientation {_orientation} is applied");
        _encoded.Write([0xFF, EndOfImage]);
        return new PictureFile(frame.Width, frame.Height, _orientation, _encoded.ToArray(), remarks);
    }

    /// <summary>Checks a segment; says whether the decoder needs it as it is.</summary>
    private bool Check(byte marker, ReadOnlySpan<byte> data)
    {
        switch (marker)
        {
            case BaselineFrame or ExtendedFrame or ProgressiveFrame:
                if (_frame is not null)
                    throw new InvalidDataException("is damaged: it has two frames");
                _frame = JpegFrame.Read(data, marker == ProgressiveFrame);
                if (_frame.Width > MaxSide || _frame.Height > MaxSide)
                    throw new InvalidDataException($"has {_frame.Width} x {_frame.Height} pixels; the limit of a side is {MaxSide}");
                PictureFile.CheckSize(_frame.Width, _frame.Height, _limits);
                if (_frame.Components.Count > 1)
                    return true;
                _frame.WriteAsColor(_encoded);
                return false;
            case StartOfScan:
                if (_frame is null)
                    throw new InvalidDataException("is damaged: a scan stands before the frame");
                if (_isComplete)
                    throw new InvalidDataException("is damaged: a scan stands behind the one that holds all channels");
                _frame.CheckScan(data, _quantizationTables, _huffmanTables);
                _isComplete = _frame.IsWhole(data);
                return true;
            case HuffmanTables:
                CheckHuffmanTables(data);
                return true;
            case QuantizationTables:
                CheckQuantizationTables(data);
                return true;
            case RestartInterval:
                return data.Length == 2 ? true : throw new InvalidDataException("is damaged: its restart interval has no two bytes");
            case Application0:
                if (data.StartsWith("JFIF\0"u8))
                    JpegFrame.WriteJfif(_encoded);
                return false;
            case Application14:
                // It says whether three channels are RGB, which grey ones are not once they are three.
                return data.StartsWith("Adobe"u8) && _frame?.Components.Count != 1;
            case Application1:
                if (data.StartsWith("Exif\0\0"u8))
                    _orientation = ExifOrientation.Read(data[6..]);
                return false;
            case (> Application0 and < Application14) or Application15 or Comment:
                return false;
            case >= 0xC3 and <= 0xCF:
                throw new InvalidDataException("is a lossless, hierarchical or arithmetic-coded JPEG, which is not supported");
            default:
                throw new InvalidDataException($"is damaged: it has the unexpected marker FF{marker:X2}");
        }
    }

    private void CheckQuantizationTables(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            int precision = data[0] >> 4;
            int table = data[0] & 15;
            int length = 1 + (64 * (precision + 1));
            if (precision > 1 || table > 3 || data.Length < length)
                throw new InvalidDataException("is damaged: it has a malformed quantization table");
            _quantizationTables[table] = true;
            data = data[length..];
        }
    }

    /// <summary>The codes of each length must fit into what the shorter ones leave (T.81, annex C).</summary>
    private void CheckHuffmanTables(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            int kind = data[0] >> 4;
            int table = data[0] & 15;
            int count = 0;
            int code = 0;
            for (int bits = 1; bits <= 16 && data.Length > 16; bits++, code <<= 1)
            {
                count += data[bits];
                code += data[bits];
                if (code > (1 << bits))
                    throw new InvalidDataException("is damaged: it has a Huffman table with too many codes");
            }

            if (kind > 1 || table > 3 || data.Length < 17 || count > 256 || data.Length < 17 + count)
                throw new InvalidDataException("is damaged: it has a malformed Huffman table");
            if (kind == 0 && data.Slice(17, count).IndexOfAnyExceptInRange((byte)0, (byte)15) >= 0)
                throw new InvalidDataException("is damaged: it has a Huffman table with wrong symbols");
            _huffmanTables[kind, table] = true;
            data = data[(17 + count)..];
        }
    }

    private static byte NextMarker(ReadOnlySpan<byte> bytes, ref int position)
    {
        if (position < bytes.Length && bytes[position] != 0xFF)
            throw new InvalidDataException($"is damaged: no marker at byte {position}");
        while (position < bytes.Length && bytes[position] == 0xFF)
            position++;
        if (position >= bytes.Length)
            throw new InvalidDataException($"is cut: it ends at byte {bytes.Length}, before its end marker");
        return bytes[position++];
    }

    private static ReadOnlySpan<byte> Segment(ReadOnlySpan<byte> bytes, ref int position)
    {
        int length = bytes.Length - position < 2 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(bytes[position..]);
        if (length < 2 || length > bytes.Length - position)
            throw new InvalidDataException($"is cut: the segment at byte {position} claims {length} bytes, {bytes.Length - position} are left");
        ReadOnlySpan<byte> data = bytes.Slice(position + 2, length - 2);
        position += length;
        return data;
    }

    /// <summary>The place of the next marker that is neither a restart marker nor a stuffed zero.</summary>
    private static int EndOfEntropyCodedData(ReadOnlySpan<byte> bytes, int position)
    {
        while (true)
        {
            int next = bytes[position..].IndexOf((byte)0xFF);
            if (next < 0 || position + next + 1 >= bytes.Length)
                throw new InvalidDataException($"is cut: it ends at byte {bytes.Length}, before its end marker");
            position += next;
            byte marker = bytes[position + 1];
            if (marker is not (0 or 0xFF or (>= 0xD0 and <= 0xD7)))
                return position;
            position += marker == 0xFF ? 1 : 2;
        }
    }
}
