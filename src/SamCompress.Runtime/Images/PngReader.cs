using System.Buffers.Binary;

namespace SamCompress.Runtime.Images;

/// <summary>Reads the chunks of a PNG (W3C Portable Network Graphics, third edition) and keeps the critical ones.</summary>
internal static class PngReader
{
    private const int HeaderLength = 13;
    private const int ChunkOverhead = 12;
    private const byte AncillaryBit = 0x20;

    private static readonly uint[] CrcTable = MakeCrcTable();

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    public static bool IsPng(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Signature);

    /// <exception cref="InvalidDataException">Malformed, cut, animated, or over a limit.</exception>
    public static PictureFile Read(ReadOnlyMemory<byte> file, PictureLimits limits)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        var encoded = new MemoryStream(bytes.Length);
        encoded.Write(Signature);
        var remarks = new List<string>();
        int width = 0;
        int height = 0;
        int orientation = 1;
        int colorType = -1;
        bool hasData = false;
        bool hasPalette = false;
        int position = Signature.Length;
        for (int chunks = 0; ; chunks++)
        {
            if (chunks == limits.MaxChunks)
                throw new InvalidDataException($"has more than {limits.MaxChunks} chunks");
            if (bytes.Length - position < ChunkOverhead)
                throw new InvalidDataException($"is cut: it ends at byte {bytes.Length}, before its IEND chunk");
            uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes[position..]);
            if (length > bytes.Length - position - ChunkOverhead)
                throw new InvalidDataException($"is cut: the chunk at byte {position} claims {length} bytes, {bytes.Length - position - ChunkOverhead} are left");
            ReadOnlySpan<byte> chunk = bytes.Slice(position, (int)length + ChunkOverhead);
            ReadOnlySpan<byte> type = chunk.Slice(4, 4);
            ReadOnlySpan<byte> data = chunk.Slice(8, (int)length);
            bool isCritical = (type[0] & AncillaryBit) == 0;
            if (isCritical && Crc(chunk[4..^4]) != BinaryPrimitives.ReadUInt32BigEndian(chunk[^4..]))
                throw new InvalidDataException($"is damaged: the chunk at byte {position} has a wrong checksum");
            if (chunks == 0 != type.SequenceEqual("IHDR"u8))
                throw new InvalidDataException("is damaged: its first chunk, and no other, must be IHDR");
            position += chunk.Length;
            if (chunks == 0)
            {
                (width, height, colorType) = ReadHeader(data, limits, remarks);
            }
            else if (type.SequenceEqual("acTL"u8))
            {
                if (data.Length >= 4 && BinaryPrimitives.ReadUInt32BigEndian(data) > 1)
                    throw new InvalidDataException("is an animated PNG");
            }
            else if (type.SequenceEqual("eXIf"u8))
            {
                orientation = ExifOrientation.Read(data);
            }
            else if (type.SequenceEqual("tRNS"u8))
            {
                remarks.Add("transparency is ignored");
            }
            else if (type.SequenceEqual("IDAT"u8))
            {
                hasData = true;
                if (colorType == 3 && !hasPalette)
                    throw new InvalidDataException("is damaged: it has no palette");
            }
            else if (type.SequenceEqual("PLTE"u8))
            {
                hasPalette = true;
            }
            else if (isCritical && !type.SequenceEqual("IEND"u8))
            {
                throw new InvalidDataException($"has a critical chunk of unknown type at byte {position - chunk.Length}");
            }

            if (isCritical)
                encoded.Write(chunk);
            if (type.SequenceEqual("IEND"u8))
                break;
        }

        if (!hasData)
            throw new InvalidDataException("has no picture data");
        if (colorType is 4 or 6)
            remarks.Add("the alpha channel is ignored");
        if (orientation != 1)
            remarks.Add($"EXIF orientation {orientation} is applied");
        return new PictureFile(width, height, orientation, encoded.ToArray(), remarks);
    }

    private static (int Width, int Height, int ColorType) ReadHeader(ReadOnlySpan<byte> data, PictureLimits limits, List<string> remarks)
    {
        if (data.Length != HeaderLength)
            throw new InvalidDataException($"is damaged: IHDR has {data.Length} bytes, not {HeaderLength}");
        uint width = BinaryPrimitives.ReadUInt32BigEndian(data);
        uint height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        PictureFile.CheckSize(width, height, limits);
        int depth = data[8];
        int colorType = data[9];
        bool isValid = colorType switch
        {
            0 => depth is 1 or 2 or 4 or 8 or 16,
            2 or 4 or 6 => depth is 8 or 16,
            3 => depth is 1 or 2 or 4 or 8,
            _ => false,
        };
        if (!isValid || data[10] != 0 || data[11] != 0 || data[12] > 1)
            throw new InvalidDataException($"is damaged: IHDR has bit depth {depth}, colour type {colorType}, methods {data[10]}, {data[11]}, {data[12]}");
        if (data[12] == 1)
            throw new InvalidDataException("is an interlaced PNG, which the decoder cannot read: save it without interlacing");
        if (depth == 16)
            remarks.Add("16 bits a channel are reduced to 8");
        if (colorType is 0 or 4)
            remarks.Add("grey is copied to three channels");
        return ((int)width, (int)height, colorType);
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
            crc = CrcTable[(byte)(crc ^ b)] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[] MakeCrcTable()
    {
        const uint polynomial = 0xEDB88320;
        var table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            uint c = i;
            for (int bit = 0; bit < 8; bit++)
                c = (c & 1) != 0 ? polynomial ^ (c >> 1) : c >> 1;
            table[i] = c;
        }

        return table;
    }
}
