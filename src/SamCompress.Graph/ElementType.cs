namespace SamCompress.IR;

/// <summary>The type of one tensor element; the numbers are those of ONNX's TensorProto.DataType.</summary>
public enum ElementType
{
    Undefined = 0,
    Float = 1,
    UInt8 = 2,
    Int8 = 3,
    UInt16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    String = 8,
    Bool = 9,
    Float16 = 10,
    Double = 11,
    UInt32 = 12,
    UInt64 = 13,
    Complex64 = 14,
    Complex128 = 15,
    BFloat16 = 16,
    Float8E4M3FN = 17,
    Float8E4M3FNUZ = 18,
    Float8E5M2 = 19,
    Float8E5M2FNUZ = 20,
    UInt4 = 21,
    Int4 = 22,
    Float4E2M1 = 23,
    Float8E8M0 = 24,
    UInt2 = 25,
    Int2 = 26,
}

public static class ElementTypes
{
    /// <summary>Bits of one element as stored; 0 for strings and unknown types.</summary>
    public static int BitWidth(this ElementType type) => type switch
    {
        ElementType.UInt2 or ElementType.Int2 => 2,
        ElementType.UInt4 or ElementType.Int4 or ElementType.Float4E2M1 => 4,
        ElementType.UInt8 or ElementType.Int8 or ElementType.Bool or ElementType.Float8E4M3FN or ElementType.Float8E4M3FNUZ
            or ElementType.Float8E5M2 or ElementType.Float8E5M2FNUZ or ElementType.Float8E8M0 => 8,
        ElementType.UInt16 or ElementType.Int16 or ElementType.Float16 or ElementType.BFloat16 => 16,
        ElementType.Float or ElementType.Int32 or ElementType.UInt32 => 32,
        ElementType.Double or ElementType.Int64 or ElementType.UInt64 or ElementType.Complex64 => 64,
        ElementType.Complex128 => 128,
        _ => 0,
    };

    /// <summary>Bytes of <paramref name="count"/> elements as raw data; types under a byte are packed, the last byte padded; 0 for strings.</summary>
    /// <exception cref="OverflowException">More than 2^63 - 1 bytes.</exception>
    public static long ByteLength(this ElementType type, long count)
    {
        int bits = type.BitWidth();
        if (bits == 0)
            return 0;
        if (bits >= 8)
            return checked(count * (bits / 8));
        int perByte = 8 / bits;
        return (count / perByte) + (count % perByte == 0 ? 0 : 1);
    }

    public static bool IsKnown(this ElementType type) => type is > ElementType.Undefined and <= ElementType.Int2;

    public static bool IsFloatingPoint(this ElementType type) =>
        type is ElementType.Float or ElementType.Double or ElementType.Float16 or ElementType.BFloat16
            or (>= ElementType.Float8E4M3FN and <= ElementType.Float8E5M2FNUZ) or ElementType.Float4E2M1 or ElementType.Float8E8M0;

    /// <summary>The name in ONNX text syntax, for example <c>float8e4m3fn</c>.</summary>
    public static string TextName(this ElementType type) => type.ToString().ToLowerInvariant();

    /// <summary>The type of that name in ONNX text syntax, or <see cref="ElementType.Undefined"/>.</summary>
    public static ElementType Parse(string textName) =>
        !char.IsAsciiDigit(textName.FirstOrDefault()) && Enum.TryParse(textName, ignoreCase: true, out ElementType type) && type.TextName() == textName
            ? type
            : ElementType.Undefined;
}
