using System.Buffers.Binary;
using System.Text;

namespace SamCompress.Fuzz;

/// <summary>Damages bytes, as disks, networks and attackers do: a few small edits, decided by a generator alone.</summary>
internal static class Mutator
{
    private const int MostEdits = 6;
    private const int LongestRange = 64;

    /// <summary>Numbers at which arithmetic goes wrong.</summary>
    private static readonly long[] Numbers = [0, 1, -1, 127, 128, 255, 256, 32767, 65535, int.MaxValue, int.MinValue, uint.MaxValue, 1L << 40, long.MaxValue, long.MinValue];

    /// <summary>What parsers of text trip over.</summary>
    private static readonly string[] Words =
        ["null", "true", "-1", "1e999", "NaN", "-0", "99999999999999999999", "\"", "\\", "\\u0000", "{", "}", "[", "]", ",", ":", "/*", "//", "\uFEFF", "../", "/", "\0", "\n", "\u001b[31m", "%s", "\ud83d\ude00"];

    public static byte[] Damage(ReadOnlySpan<byte> original, Random random, bool isText = false)
    {
        List<byte> bytes = [.. original];
        for (int edits = 1 + random.Next(MostEdits); edits > 0; edits--)
            Edit(bytes, random, isText);
        return [.. bytes];
    }

    private static void Edit(List<byte> bytes, Random random, bool isText)
    {
        int place = random.Next(bytes.Count + 1);
        int length = Math.Min(1 + random.Next(LongestRange), bytes.Count - place);
        switch (random.Next(isText ? 9 : 8))
        {
            case 0 when length > 0:
                bytes[place] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when length > 0:
                bytes[place] = (byte)random.Next(256);
                break;
            case 2:
                bytes.RemoveRange(place, length);
                break;
            case 3:
                bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(place, length));
                break;
            case 4:
                bytes.InsertRange(place, Number(random));
                break;
            case 5:
                byte[] number = Number(random);
                for (int i = 0; i < number.Length && place + i < bytes.Count; i++)
                    bytes[place + i] = number[i];
                break;
            case 6:
                bytes.InsertRange(place, Varint(random));
                break;
            case 7 when random.Next(4) == 0:
                bytes.RemoveRange(place, bytes.Count - place);
                break;
            case 8:
                bytes.InsertRange(place, Encoding.UTF8.GetBytes(Words[random.Next(Words.Length)]));
                break;
        }
    }

    private static byte[] Number(Random random)
    {
        var bytes = new byte[8];
        long number = Numbers[random.Next(Numbers.Length)];
        if (random.Next(2) == 0)
            BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        else
            BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        int length = 1 << random.Next(4);
        return random.Next(2) == 0 ? bytes[..length] : bytes[^length..];
    }

    /// <summary>A length or a number of a protocol buffer, sometimes of more bytes than there may be.</summary>
    private static byte[] Varint(Random random)
    {
        var bytes = new byte[1 + random.Next(11)];
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)(random.Next(256) | (i < bytes.Length - 1 ? 0x80 : 0));
        return bytes;
    }
}
