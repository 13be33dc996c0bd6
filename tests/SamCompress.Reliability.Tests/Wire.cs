using System.Buffers.Binary;
using System.Text;

namespace SamCompress.Reliability.Tests;

/// <summary>Protobuf bytes, field by field: also such as no serializer would write.</summary>
internal static class Wire
{
    public static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }

    public static byte[] Tag(long field, int wireType) => Varint(((ulong)field << 3) | (uint)wireType);

    public static byte[] Number(int field, long value) => [.. Tag(field, 0), .. Varint((ulong)value)];

    public static byte[] Fixed32(int field, float value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        return [.. Tag(field, 5), .. bytes];
    }

    /// <summary>A message, or any other field with a length.</summary>
    public static byte[] Message(int field, params byte[][] parts)
    {
        byte[] body = Join(parts);
        return [.. Claim(field, (ulong)body.Length), .. body];
    }

    public static byte[] Text(int field, string text) => Message(field, Encoding.UTF8.GetBytes(text));

    /// <summary>The head of a field that claims a length, whatever follows.</summary>
    public static byte[] Claim(int field, ulong length) => [.. Tag(field, 2), .. Varint(length)];

    /// <summary>Messages in messages, in time linear in the result.</summary>
    /// <param name="fields">The fields of one level, from outside to inside.</param>
    public static byte[] Nested(int depth, params int[] fields)
    {
        var heads = new Stack<byte[]>();
        ulong length = 0;
        for (int level = 0; level < depth; level++)
        {
            foreach (int field in fields.Reverse())
            {
                heads.Push(Claim(field, length));
                length += (ulong)heads.Peek().Length;
            }
        }

        return Join([.. heads]);
    }

    public static byte[] Repeat(int count, byte[] part)
    {
        var bytes = new byte[count * part.Length];
        for (int i = 0; i < count; i++)
            part.CopyTo(bytes, i * part.Length);
        return bytes;
    }

    public static byte[] Join(params byte[][] parts)
    {
        var bytes = new byte[parts.Sum(p => p.Length)];
        int position = 0;
        foreach (byte[] part in parts)
        {
            part.CopyTo(bytes, position);
            position += part.Length;
        }

        return bytes;
    }
}
