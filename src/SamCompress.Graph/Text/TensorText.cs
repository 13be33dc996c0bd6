using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf;
using SamCompress.IR.Serialization;

namespace SamCompress.IR.Text;

/// <summary>
/// The elements of a tensor as text, and back. Integers are decimal, also the two and four-bit ones, which are written unpacked.
/// Float and double are the shortest decimal that reads back equal, or for a NaN with a payload its bits, <c>0x7fa00000</c>.
/// All other floating-point types are written as their bits, in decimal. A complex number is two numbers.
/// </summary>
internal static class TensorText
{
    private const uint QuietNaN = 0x7FC00000;
    private const ulong QuietNaN64 = 0x7FF8000000000000;

    public static string Format(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return bits == QuietNaN ? "nan" : bits == (QuietNaN | 0x80000000) ? "-nan" : string.Create(CultureInfo.InvariantCulture, $"0x{bits:x8}");
        return float.IsInfinity(value) ? value > 0 ? "inf" : "-inf" : value.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
    }

    public static string Format(double value)
    {
        ulong bits = BitConverter.DoubleToUInt64Bits(value);
        if (double.IsNaN(value))
            return bits == QuietNaN64 ? "nan" : bits == (QuietNaN64 | (1UL << 63)) ? "-nan" : string.Create(CultureInfo.InvariantCulture, $"0x{bits:x16}");
        return double.IsInfinity(value) ? value > 0 ? "inf" : "-inf" : value.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
    }

    /// <summary>The float of a literal. Its nearest value must be finite unless it says <c>inf</c> or <c>nan</c>.</summary>
    public static float ParseFloat(TextScanner scanner)
    {
        ReadOnlySpan<char> literal = scanner.Number(out _);
        if (Bits(literal) is { } bits)
            return bits <= uint.MaxValue ? BitConverter.UInt32BitsToSingle((uint)bits) : throw scanner.Error("the bits of a float are over 32");
        if (Word(literal) is { } word)
            return double.IsNaN(word) ? BitConverter.UInt32BitsToSingle(QuietNaN | (literal[0] == '-' ? 0x80000000 : 0)) : (float)word;
        if (float.TryParse(literal, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value))
            return value;
        throw scanner.Error($"'{literal}' is no float");
    }

    public static double ParseDouble(TextScanner scanner)
    {
        ReadOnlySpan<char> literal = scanner.Number(out _);
        if (Bits(literal) is { } bits)
            return BitConverter.UInt64BitsToDouble(bits);
        if (Word(literal) is { } word)
            return double.IsNaN(word) ? BitConverter.UInt64BitsToDouble(QuietNaN64 | (literal[0] == '-' ? 1UL << 63 : 0)) : word;
        if (double.TryParse(literal, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value))
            return value;
        throw scanner.Error($"'{literal}' is no double");
    }

    /// <summary>Writes the elements with commas between them.</summary>
    public static void Write(TextWriter writer, Tensor tensor)
    {
        if (tensor.ElementType == ElementType.String)
        {
            // Through the message, not through Tensor.Strings: elements need not be UTF-8.
            IEnumerable<ByteString> elements = tensor.Shell!.StringData;
            writer.Write(string.Join(",", elements.Select(e => TextSyntax.Quote(e.Span))));
            return;
        }

        if (tensor.ElementType.BitWidth() == 0)
            throw new SamCompressException(FailureKind.InputRejected, $"element type {(int)tensor.ElementType} is not known");
        using TensorLease lease = tensor.Open();
        switch (tensor.ElementType)
        {
            case ElementType.Float or ElementType.Complex64:
                Write(writer, lease.As<float>(), Format);
                break;
            case ElementType.Double or ElementType.Complex128:
                Write(writer, lease.As<double>(), Format);
                break;
            case ElementType.Int64:
                Write(writer, lease.As<long>(), v => v.ToString(CultureInfo.InvariantCulture));
                break;
            case ElementType.UInt64:
                Write(writer, lease.As<ulong>(), v => v.ToString(CultureInfo.InvariantCulture));
                break;
            case ElementType.Int32:
                Write(writer, lease.As<int>(), v => v.ToString(CultureInfo.InvariantCulture));
                break;
            case ElementType.UInt32:
                Write(writer, lease.As<uint>(), v => v.ToString(CultureInfo.InvariantCulture));
                break;
            case ElementType.Int16:
                Write(writer, lease.As<short>(), v => v.ToString(CultureInfo.InvariantCulture));
                break;
            case ElementType.Int8:
                Write(writer, lease.As<sbyte>(), v => v.ToString(CultureInfo.InvariantCulture));
                break;
            default:
                if (tensor.ElementType.BitWidth() == 16)
                    Write(writer, lease.As<ushort>(), v => v.ToString(CultureInfo.InvariantCulture));
                else if (tensor.ElementType.BitWidth() == 8)
                    Write(writer, lease.As<byte>(), v => v.ToString(CultureInfo.InvariantCulture));
                else
                    Write<long>(writer, Unpack(tensor.ElementType, lease.Bytes, tensor.Count), v => v.ToString(CultureInfo.InvariantCulture));
                break;
        }
    }

    /// <summary>The elements of a type under a byte, widened.</summary>
    public static long[] Unpack(ElementType type, ReadOnlySpan<byte> bytes, long count)
    {
        int bits = type.BitWidth();
        int perByte = 8 / bits;
        var result = new long[count];
        for (int i = 0; i < result.Length; i++)
        {
            int element = (bytes[i / perByte] >> (i % perByte * bits)) & ((1 << bits) - 1);
            bool negative = type is ElementType.Int4 or ElementType.Int2 && element >> (bits - 1) != 0;
            result[i] = negative ? element - (1 << bits) : element;
        }

        return result;
    }

    /// <summary>Reads <c>{...}</c> into a message whose type and dimensions are set.</summary>
    public static void Parse(TextScanner scanner, TensorProto tensor)
    {
        var type = (ElementType)tensor.DataType;
        long count = 1;
        try
        {
            foreach (long d in tensor.Dims)
                count = checked(count * d);
            _ = type.ByteLength(count);
        }
        catch (OverflowException)
        {
            throw scanner.Error("the tensor has over 2^63 elements or bytes");
        }

        if (type is ElementType.Complex64 or ElementType.Complex128)
            count = count > long.MaxValue / 2 ? throw scanner.Error("the tensor has over 2^63 numbers") : count * 2;
        var data = new ArrayBufferWriter<byte>();
        long found = 0;
        scanner.Take('{');
        if (!scanner.TryTake('}'))
        {
            do
            {
                if (found++ == count)
                    throw scanner.Error($"the tensor has {count} elements, here is one more");
                ParseElement(scanner, tensor, type, found - 1, data);
            }
            while (scanner.TryTake(','));
            if (found < count)
                throw scanner.Error($"the tensor has {count} elements, here are {found}");
            scanner.Take('}');
        }
        else if (count != 0)
        {
            throw scanner.Error($"the tensor has {count} elements, here is none");
        }

        if (data.WrittenCount > 0)
            tensor.RawData = ByteString.CopyFrom(data.WrittenSpan);
    }

    private static void ParseElement(TextScanner scanner, TensorProto tensor, ElementType type, long index, ArrayBufferWriter<byte> data)
    {
        switch (type)
        {
            case ElementType.String:
                tensor.StringData.Add(ByteString.CopyFrom(scanner.TextBytes()));
                break;
            case ElementType.Float or ElementType.Complex64:
                BinaryPrimitives.WriteSingleLittleEndian(data.GetSpan(4), ParseFloat(scanner));
                data.Advance(4);
                break;
            case ElementType.Double or ElementType.Complex128:
                BinaryPrimitives.WriteDoubleLittleEndian(data.GetSpan(8), ParseDouble(scanner));
                data.Advance(8);
                break;
            case ElementType.UInt64:
                if (!ulong.TryParse(scanner.Number(out _), NumberStyles.None, CultureInfo.InvariantCulture, out ulong unsigned))
                    throw scanner.Error("expected an unsigned integer of 64 bits before this");
                BinaryPrimitives.WriteUInt64LittleEndian(data.GetSpan(8), unsigned);
                data.Advance(8);
                break;
            default:
                ParseInteger(scanner, type, index, data);
                break;
        }
    }

    private static void ParseInteger(TextScanner scanner, ElementType type, long index, ArrayBufferWriter<byte> data)
    {
        int bits = type.BitWidth();
        bool signed = type is ElementType.Int64 or ElementType.Int32 or ElementType.Int16 or ElementType.Int8 or ElementType.Int4 or ElementType.Int2;
        long value = scanner.Integer();
        if (bits < 64 && (value < (signed ? -(1L << (bits - 1)) : 0) || value >= 1L << (signed ? bits - 1 : bits)))
            throw scanner.Error($"{value} is no {type.TextName()}, before this");
        if (bits >= 8)
        {
            BinaryPrimitives.WriteInt64LittleEndian(data.GetSpan(8), value);
            data.Advance(bits / 8);
            return;
        }

        int perByte = 8 / bits;
        int shift = (int)(index % perByte) * bits;
        if (shift == 0)
        {
            data.GetSpan(1)[0] = 0;
            data.Advance(1);
        }

        MemoryMarshal.AsMemory(data.WrittenMemory).Span[^1] |= (byte)((value & ((1 << bits) - 1)) << shift);
    }

    private static ulong? Bits(ReadOnlySpan<char> literal) =>
        literal.StartsWith("0x") && ulong.TryParse(literal[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits) ? bits : null;

    private static double? Word(ReadOnlySpan<char> literal)
    {
        ReadOnlySpan<char> word = literal.TrimStart('-');
        if (!TextSyntax.IsNumberWord(word))
            return null;
        if (word[0] is 'n' or 'N')
            return double.NaN;
        return literal[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
    }

    private static void Write<T>(TextWriter writer, ReadOnlySpan<T> elements, Func<T, string> format)
    {
        for (int i = 0; i < elements.Length; i++)
        {
            if (i > 0)
                writer.Write(',');
            writer.Write(format(elements[i]));
        }
    }
}
