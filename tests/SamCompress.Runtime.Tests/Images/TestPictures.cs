using System.Buffers.Binary;
using System.IO.Compression;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Images;

/// <summary>
/// Pictures to test with. PNGs are made here; the JPEGs of Fixtures were made by libjpeg-turbo at quality 95 without subsampling:
/// "flat" is 24 x 16 in four flat parts that end at block borders, (200,100,50) and (20,60,180) above their halves; "noise" is
/// 53 x 37 of random grey at quality 80, with a restart marker every third block.
/// </summary>
internal static class TestPictures
{
    public static string Fixture(string name) => Path.Combine(SkeletonModels.RepositoryRoot, "tests", "SamCompress.Runtime.Tests", "Images", "Fixtures", name);

    public static string Scene(int number) => Path.Combine(SkeletonModels.RepositoryRoot, "calibration", $"scene_{number:D3}.jpg");

    /// <summary>A PNG of the given rows (without filter bytes), uncompressed colours in the order of the format.</summary>
    public static byte[] Png(int width, int height, int depth, int colorType, byte[] rows, params (string Type, byte[] Data)[] chunks)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = (byte)depth;
        header[9] = (byte)colorType;
        var raw = new MemoryStream();
        int stride = height == 0 ? 0 : rows.Length / height;
        using (var zlib = new ZLibStream(raw, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (int y = 0; y < height; y++)
            {
                zlib.WriteByte(0);
                zlib.Write(rows, y * stride, stride);
            }
        }

        return Png([("IHDR", header), .. chunks, ("IDAT", raw.ToArray()), ("IEND", [])]);
    }

    public static byte[] Png(params (string Type, byte[] Data)[] chunks)
    {
        var png = new MemoryStream();
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        Span<byte> number = stackalloc byte[4];
        foreach ((string type, byte[] data) in chunks)
        {
            byte[] body = [.. type.Select(c => (byte)c), .. data];
            BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
            png.Write(number);
            png.Write(body);
            BinaryPrimitives.WriteUInt32BigEndian(number, Crc(body));
            png.Write(number);
        }

        return png.ToArray();
    }

    /// <summary>The EXIF data that says nothing but an orientation.</summary>
    public static byte[] Exif(int orientation, bool isLittle)
    {
        byte[] data = isLittle
            ? [(byte)'I', (byte)'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0]
            : [(byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];
        return data;
    }

    /// <summary>The flat JPEG with an EXIF segment behind its first marker.</summary>
    public static byte[] JpegWithOrientation(int orientation, bool isLittle = false)
    {
        byte[] exif = [.. "Exif\0\0"u8, .. Exif(orientation, isLittle)];
        byte[] jpeg = File.ReadAllBytes(Fixture("flat.jpg"));
        return [.. jpeg[..2], 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. jpeg[2..]];
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
        }

        return ~crc;
    }
}
