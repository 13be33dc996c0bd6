using System.Buffers.Binary;

namespace SamCompress.Runtime.Images;

/// <summary>The orientation in EXIF data (CIPA DC-008, tag 0x0112): how the stored rows and columns are to be shown.</summary>
internal static class ExifOrientation
{
    private const ushort Tag = 0x0112;
    private const ushort ShortType = 3;
    private const int EntryLength = 12;

    /// <summary>The orientation, 1 to 8; 1 when there is none or the data is malformed, as it is only advice.</summary>
    /// <param name="tiff">The TIFF structure, from its byte order mark on.</param>
    public static int Read(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8)
            return 1;
        bool isLittle = tiff.StartsWith("II"u8);
        if (!isLittle && !tiff.StartsWith("MM"u8))
            return 1;
        uint directory = isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (directory > tiff.Length - 2)
            return 1;
        ReadOnlySpan<byte> entries = tiff[(int)directory..];
        int count = UInt16(entries, isLittle);
        entries = entries[2..];
        for (int i = 0; i < count && entries.Length >= EntryLength; i++, entries = entries[EntryLength..])
        {
            if (UInt16(entries, isLittle) == Tag && UInt16(entries[2..], isLittle) == ShortType)
                return UInt16(entries[8..], isLittle) is >= 1 and <= 8 and var orientation ? orientation : 1;
        }

        return 1;
    }

    private static ushort UInt16(ReadOnlySpan<byte> bytes, bool isLittle) =>
        isLittle ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
}
