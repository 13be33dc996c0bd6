using System.Buffers.Binary;

namespace SamCompress.Runtime.Images;

/// <summary>The frame header of a JPEG: size, and the channels with their sampling.</summary>
internal sealed class JpegFrame
{
    private const int HeaderLength = 6;
    private const int ComponentLength = 3;
    private const int MaxBlocksInUnit = 10;

    private readonly bool _isProgressive;
    private readonly byte[] _header;

    private JpegFrame(byte[] header, bool isProgressive)
    {
        _header = header;
        _isProgressive = isProgressive;
        Height = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(1));
        Width = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(3));
        var components = new List<Component>();
        for (int i = HeaderLength; i < header.Length; i += ComponentLength)
            components.Add(new Component(header[i], header[i + 1] >> 4, header[i + 1] & 15, header[i + 2]));
        Components = components;
    }

    /// <summary>The segment that says: three channels are Y, Cb, Cr.</summary>
    public static ReadOnlySpan<byte> Jfif => [0xFF, 0xE0, 0, 16, (byte)'J', (byte)'F', (byte)'I', (byte)'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];

    /// <summary>No restarts, and tables of one code of one bit, 0, each: "no difference" for DC, "end of block" for AC.</summary>
    public static ReadOnlySpan<byte> EmptyChromaTables =>
    [
        0xFF, 0xDD, 0, 4, 0, 0,
        0xFF, 0xC4, 0, 2 + (2 * 18),
        0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    public int Width { get; }

    public int Height { get; }

    public IReadOnlyList<Component> Components { get; }

    /// <param name="Horizontal">Sampling factors, relative to the greatest of the frame.</param>
    public sealed record Component(byte Id, int Horizontal, int Vertical, byte QuantizationTable);

    /// <exception cref="InvalidDataException">Malformed, or of a kind that is not supported.</exception>
    public static JpegFrame Read(ReadOnlySpan<byte> data, bool isProgressive)
    {
        if (data.Length < HeaderLength || data.Length != HeaderLength + (ComponentLength * data[5]))
            throw new InvalidDataException("is damaged: its frame header has a wrong length");
        if (data[0] != 8)
            throw new InvalidDataException($"is a JPEG of {data[0]} bits, which is not supported");
        if (data[5] == 4)
            throw new InvalidDataException("is a CMYK JPEG, which is not supported: convert it to RGB");
        if (data[5] is not (1 or 3))
            throw new InvalidDataException($"has {data[5]} channels");
        var frame = new JpegFrame(data.ToArray(), isProgressive);
        int horizontal = frame.Components.Max(c => c.Horizontal);
        int vertical = frame.Components.Max(c => c.Vertical);
        foreach (Component c in frame.Components)
        {
            if (c.Horizontal is < 1 or > 4 || c.Vertical is < 1 or > 4 || c.QuantizationTable > 3 || horizontal % c.Horizontal != 0 || vertical % c.Vertical != 0)
                throw new InvalidDataException("is damaged: its frame header has wrong sampling factors");
        }

        if (frame.Components.DistinctBy(c => c.Id).Count() != frame.Components.Count)
            throw new InvalidDataException("is damaged: two of its channels have one number");
        return frame;
    }

    /// <exception cref="InvalidDataException">The header of a scan names a channel or table that is not there, or a wrong range.</exception>
    public void CheckScan(ReadOnlySpan<byte> data, bool[] quantizationTables, bool[,] huffmanTables)
    {
        int count = data.Length > 0 ? data[0] : 0;
        if (count is < 1 or > 4 || data.Length != 4 + (2 * count))
            throw new InvalidDataException("is damaged: a scan header has a wrong length");
        (int first, int last) = (data[1 + (2 * count)], data[2 + (2 * count)]);
        (int high, int low) = (data[3 + (2 * count)] >> 4, data[3 + (2 * count)] & 15);
        bool isRange = first == 0 ? last == 0 : last is <= 63 && last >= first && count == 1;
        if (_isProgressive && (!isRange || low > 13 || (high != 0 && low != high - 1)))
            throw new InvalidDataException("is damaged: a scan has a wrong range of coefficients");
        if (!_isProgressive && (first, last, high, low) != (0, 63, 0, 0))
            throw new InvalidDataException("is damaged: a scan has a wrong range of coefficients");
        int blocks = 0;
        var seen = new HashSet<byte>();
        for (int i = 0; i < count; i++)
        {
            byte id = data[1 + (2 * i)];
            (int dc, int ac) = (data[2 + (2 * i)] >> 4, data[2 + (2 * i)] & 15);
            Component component = Components.FirstOrDefault(c => c.Id == id && seen.Add(id))
                ?? throw new InvalidDataException("is damaged: a scan names a channel twice, or one that is not there");
            blocks += component.Horizontal * component.Vertical;
            bool needsDc = !_isProgressive || (first == 0 && high == 0);
            bool needsAc = !_isProgressive || first > 0;
            if (dc > 3 || ac > 3 || (needsDc && !huffmanTables[0, dc]) || (needsAc && !huffmanTables[1, ac]) || !quantizationTables[component.QuantizationTable])
                throw new InvalidDataException("is damaged: a scan needs a table that is not there");
        }

        if (count > 1 && blocks > MaxBlocksInUnit)
            throw new InvalidDataException("is damaged: a scan has too many blocks in a unit");
    }

    /// <summary>Whether a scan, which was checked, gives everything of all channels, so that no other may follow.</summary>
    public bool IsWhole(ReadOnlySpan<byte> scan) => !_isProgressive && Components.Count > 1 && scan[0] == Components.Count;

    /// <summary>
    /// Writes a grey frame as one of three channels (Y, Cb, Cr), since the decoder overruns its buffer with one. The scans of
    /// the grey channel stay as they are: a scan of one channel does not depend on the sampling.
    /// </summary>
    public void WriteAsColor(Stream output)
    {
        (byte y, byte cb, byte cr) = Ids();
        byte table = Components[0].QuantizationTable;
        const byte noSubsampling = 0x11;
        WriteJfif(output);
        output.Write([0xFF, _isProgressive ? (byte)0xC2 : (byte)0xC1, 0, 17, .. _header.AsSpan(0, 5), 3]);
        output.Write([y, noSubsampling, table, cb, noSubsampling, table, cr, noSubsampling, table]);
    }

    /// <summary>Writes <see cref="Jfif"/>. That of the file may hold more, and what decoders complain about.</summary>
    public static void WriteJfif(Stream output) => output.Write(Jfif);

    /// <summary>Writes scans in which all coefficients of Cb and Cr are zero, which is no colour.</summary>
    public void WriteEmptyChroma(Stream output)
    {
        (_, byte cb, byte cr) = Ids();
        output.Write(EmptyChromaTables);
        long blocks = (Width + 7L) / 8 * ((Height + 7L) / 8);
        long bits = _isProgressive ? blocks : 2 * blocks;
        foreach (byte id in (ReadOnlySpan<byte>)[cb, cr])
        {
            output.Write([0xFF, 0xDA, 0, 8, 1, id, 0x00, 0, _isProgressive ? (byte)0 : (byte)63, 0]);
            output.Write(new byte[(bits + 7) / 8]);
        }
    }

    private (byte Y, byte Cb, byte Cr) Ids()
    {
        byte y = Components[0].Id;
        return (y, (byte)(y + 1), (byte)(y + 2));
    }
}
