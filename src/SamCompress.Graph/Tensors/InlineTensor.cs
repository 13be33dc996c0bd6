using System.Collections.Immutable;
using System.Runtime.InteropServices;
using SamCompress.IR.Serialization;

namespace SamCompress.IR;

/// <summary>A tensor whose bytes are in memory: raw, or in the typed field of the message it was read from.</summary>
internal sealed class InlineTensor : Tensor
{
    private byte[]? _bytes;

    public InlineTensor(ElementType elementType, ImmutableArray<long> dimensions, byte[] bytes)
        : base(elementType, dimensions)
    {
        if (bytes.Length != ByteLength)
            throw new ArgumentException($"{this} needs {ByteLength} bytes, not {bytes.Length}");
        _bytes = bytes;
    }

    /// <param name="shell">The message, with its data in raw_data or a typed field. The reader has checked its length.</param>
    public InlineTensor(ElementType elementType, ImmutableArray<long> dimensions, TensorProto shell)
        : base(elementType, dimensions) => Shell = shell;

    public override TensorLease Open()
    {
        _bytes ??= Decode(Shell!);
        return new TensorLease(_bytes, ByteLength);
    }

    /// <summary>The number of bytes that the data of a message would have as raw data, or -1 when the wrong field holds it.</summary>
    public static long DecodedLength(TensorProto proto, ElementType type)
    {
        if (proto.HasRawData)
            return proto.RawData.Length;
        return type switch
        {
            ElementType.Float or ElementType.Complex64 => proto.FloatData.Count * 4L,
            ElementType.Double or ElementType.Complex128 => proto.DoubleData.Count * 8L,
            ElementType.Int64 => proto.Int64Data.Count * 8L,
            ElementType.UInt64 => proto.Uint64Data.Count * 8L,
            ElementType.UInt32 => proto.Uint64Data.Count * 4L,
            ElementType.Int32 => proto.Int32Data.Count * 4L,
            _ when type.BitWidth() == 16 => proto.Int32Data.Count * 2L,
            _ when type.BitWidth() is > 0 and <= 8 => proto.Int32Data.Count,
            _ => -1,
        };
    }

    private byte[] Decode(TensorProto proto)
    {
        if (proto.HasRawData)
            return proto.RawData.ToByteArray();
        return ElementType switch
        {
            ElementType.Float or ElementType.Complex64 => MemoryMarshal.AsBytes<float>(proto.FloatData.ToArray()).ToArray(),
            ElementType.Double or ElementType.Complex128 => MemoryMarshal.AsBytes<double>(proto.DoubleData.ToArray()).ToArray(),
            ElementType.Int64 => MemoryMarshal.AsBytes<long>(proto.Int64Data.ToArray()).ToArray(),
            ElementType.UInt64 => MemoryMarshal.AsBytes<ulong>(proto.Uint64Data.ToArray()).ToArray(),
            ElementType.UInt32 => MemoryMarshal.AsBytes<uint>(proto.Uint64Data.Select(v => unchecked((uint)v)).ToArray()).ToArray(),
            ElementType.Int32 => MemoryMarshal.AsBytes<int>(proto.Int32Data.ToArray()).ToArray(),
            _ when ElementType.BitWidth() == 16 => MemoryMarshal.AsBytes<ushort>(proto.Int32Data.Select(v => unchecked((ushort)v)).ToArray()).ToArray(),
            _ => [.. proto.Int32Data.Select(v => unchecked((byte)v))],
        };
    }
}

/// <summary>A tensor of strings.</summary>
internal sealed class StringTensor : Tensor
{
    public StringTensor(ImmutableArray<long> dimensions, TensorProto shell)
        : base(ElementType.String, dimensions)
    {
        if (shell.StringData.Count != Count)
            throw new ArgumentException($"{this} needs {Count} strings, not {shell.StringData.Count}");
        Shell = shell;
    }

    public override IReadOnlyList<string> Strings => [.. Shell!.StringData.Select(s => s.ToStringUtf8())];

    public override TensorLease Open() => throw new NotSupportedException("a tensor of strings has no raw bytes");
}
