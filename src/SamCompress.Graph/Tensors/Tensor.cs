using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using SamCompress.IR.Serialization;

namespace SamCompress.IR;

/// <summary>
/// Immutable element type and shape, with bytes on demand: mapped from a file, held in memory, or computed when asked for.
/// Bytes are those of ONNX's raw data: little-endian, row-major, types under a byte packed with the first element in the low bits.
/// </summary>
public abstract class Tensor
{
    private protected Tensor(ElementType elementType, ImmutableArray<long> dimensions)
    {
        ElementType = elementType;
        Dimensions = dimensions;
        long count = 1;
        foreach (long d in dimensions)
            count = checked(count * d);
        Count = count;
        ByteLength = elementType.ByteLength(count);
    }

    public ElementType ElementType { get; }

    public ImmutableArray<long> Dimensions { get; }

    public int Rank => Dimensions.Length;

    /// <summary>Whether the file with the elements was not found; only in a model that was read so that this is no error.</summary>
    public bool IsMissing => this is MissingTensor;

    /// <summary>The number of elements.</summary>
    public long Count { get; }

    /// <summary>The number of bytes as raw data; 0 for strings.</summary>
    public long ByteLength { get; }

    /// <summary>The documentation of the tensor in the file, or empty.</summary>
    public string Documentation => Shell?.DocString ?? "";

    /// <summary>The name that an attribute's tensor has in the file; an initializer's name is that of its value.</summary>
    public string Name => Shell?.Name ?? "";

    /// <summary>Name, documentation, metadata and unknown fields as read; null for a tensor made here.</summary>
    internal TensorProto? Shell { get; private protected init; }

    /// <summary>Gives access to the bytes until the lease is disposed of. Big tensors should not be held open for long.</summary>
    /// <exception cref="NotSupportedException">A tensor of strings, which has no bytes: see <see cref="Strings"/>.</exception>
    /// <exception cref="SamCompressException">The data cannot be read.</exception>
    public abstract TensorLease Open();

    /// <summary>Writes the raw bytes, a piece at a time: no copy of the whole is made unless the tensor is computed.</summary>
    public virtual void CopyTo(Stream destination)
    {
        using TensorLease lease = Open();
        destination.Write(lease.Bytes);
    }

    /// <summary>The elements of a tensor of strings.</summary>
    /// <exception cref="NotSupportedException">Not a tensor of strings.</exception>
    public virtual IReadOnlyList<string> Strings => throw new NotSupportedException($"a tensor of {ElementType.TextName()} holds no strings");

    /// <summary>A copy of the elements; <typeparamref name="T"/> must have the size of an element.</summary>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        using TensorLease lease = Open();
        return lease.As<T>().ToArray();
    }

    /// <summary>The elements of a small integer tensor (int64, int32, bool and smaller), widened: shapes, axes, indices.</summary>
    /// <exception cref="NotSupportedException">Another element type.</exception>
    public long[] ToInt64s()
    {
        using TensorLease lease = Open();
        return ElementType switch
        {
            ElementType.Int64 => lease.As<long>().ToArray(),
            ElementType.Int32 => Widen(lease.As<int>(), v => v),
            ElementType.UInt32 => Widen(lease.As<uint>(), v => v),
            ElementType.Int16 => Widen(lease.As<short>(), v => v),
            ElementType.UInt16 => Widen(lease.As<ushort>(), v => v),
            ElementType.Int8 => Widen(lease.As<sbyte>(), v => v),
            ElementType.UInt8 or ElementType.Bool => Widen(lease.As<byte>(), v => v),
            _ => throw new NotSupportedException($"{ElementType.TextName()} is no integer type"),
        };
    }

    /// <summary>The one element of a float, double or float16 tensor with one element, or null for any other tensor.</summary>
    public double? ScalarOrNull()
    {
        if (Count != 1)
            return null;
        if (ElementType is not (ElementType.Float or ElementType.Double or ElementType.Float16))
            return ElementType is ElementType.Int64 or ElementType.Int32 ? ToInt64s()[0] : null;
        using TensorLease lease = Open();
        return ElementType switch
        {
            ElementType.Float => lease.As<float>()[0],
            ElementType.Double => lease.As<double>()[0],
            _ => (double)lease.As<Half>()[0],
        };
    }

    public static Tensor Of(ReadOnlySpan<float> elements, params ReadOnlySpan<long> dimensions) => Of(ElementType.Float, elements, dimensions);

    public static Tensor Of(ReadOnlySpan<long> elements, params ReadOnlySpan<long> dimensions) => Of(ElementType.Int64, elements, dimensions);

    /// <summary>A tensor with one element and no dimension.</summary>
    public static Tensor Scalar(float value) => Of(ElementType.Float, new ReadOnlySpan<float>(in value), []);

    /// <inheritdoc cref="Scalar(float)"/>
    public static Tensor Scalar(long value) => Of(ElementType.Int64, new ReadOnlySpan<long>(in value), []);

    /// <summary>A tensor with one dimension, for shapes and axes.</summary>
    public static Tensor Vector(params ReadOnlySpan<long> elements) => Of(ElementType.Int64, elements, [elements.Length]);

    /// <summary>Copies elements whose size in memory is that of the element type.</summary>
    /// <exception cref="ArgumentException">The number of bytes is not what type and dimensions ask for.</exception>
    public static Tensor Of<T>(ElementType elementType, ReadOnlySpan<T> elements, ReadOnlySpan<long> dimensions)
        where T : unmanaged => FromBytes(elementType, dimensions, MemoryMarshal.AsBytes(elements).ToArray());

    /// <summary>Takes over an array of raw bytes.</summary>
    /// <exception cref="ArgumentException">The number of bytes is not what type and dimensions ask for.</exception>
    public static Tensor FromBytes(ElementType elementType, ReadOnlySpan<long> dimensions, byte[] bytes) =>
        new InlineTensor(elementType, [.. dimensions], bytes);

    public static Tensor OfStrings(IEnumerable<string> elements, params ReadOnlySpan<long> dimensions)
    {
        var proto = new TensorProto { DataType = (int)ElementType.String };
        foreach (string element in elements)
            proto.StringData.Add(Google.Protobuf.ByteString.CopyFrom(element, Encoding.UTF8));
        return new StringTensor([.. dimensions], proto);
    }

    /// <summary>A tensor whose bytes are computed each time they are asked for, so that a big one need not stay in memory.</summary>
    /// <param name="compute">Fills a buffer of <see cref="ByteLength"/> bytes. Must give the same bytes every time.</param>
    public static Tensor Lazy(ElementType elementType, ReadOnlySpan<long> dimensions, Action<Span<byte>> compute) =>
        new LazyTensor(elementType, [.. dimensions], compute);

    private static long[] Widen<T>(ReadOnlySpan<T> elements, Func<T, long> widen)
        where T : unmanaged
    {
        var result = new long[elements.Length];
        for (int i = 0; i < result.Length; i++)
            result[i] = widen(elements[i]);
        return result;
    }

    /// <summary>For example <c>float[768,3072]</c>.</summary>
    public override string ToString() => $"{ElementType.TextName()}[{string.Join(',', Dimensions)}]";
}

/// <summary>Access to the bytes of a tensor for a while.</summary>
public sealed unsafe class TensorLease : IDisposable
{
    private readonly byte[]? _array;
    private readonly byte* _pointer;
    private readonly long _length;
    private Action? _release;
    private GCHandle _pin;

    internal TensorLease(byte[] array, long length, Action? release = null)
    {
        _array = array;
        _length = length;
        _release = release;
    }

    internal TensorLease(byte* pointer, long length, Action? release)
    {
        _pointer = pointer;
        _length = length;
        _release = release;
    }

    /// <summary>The raw bytes, of a tensor up to 2 GiB.</summary>
    public ReadOnlySpan<byte> Bytes => _array is not null ? _array.AsSpan(0, checked((int)_length)) : new ReadOnlySpan<byte>(_pointer, checked((int)_length));

    /// <summary>The address of the bytes when they are mapped from a file, else null.</summary>
    public byte* Pointer => _pointer;

    /// <summary>The address of the bytes, which stays the same until the lease is disposed of. Valid also for no bytes.</summary>
    public byte* Pin()
    {
        if (_array is null)
            return _pointer;
        if (!_pin.IsAllocated)
            _pin = GCHandle.Alloc(_array.Length > 0 ? _array : new byte[1], GCHandleType.Pinned);
        return (byte*)_pin.AddrOfPinnedObject();
    }

    /// <summary>The elements, seen as a type of their size.</summary>
    public ReadOnlySpan<T> As<T>()
        where T : unmanaged =>
        _array is not null
            ? MemoryMarshal.Cast<byte, T>(_array.AsSpan(0, checked((int)_length)))
            : new ReadOnlySpan<T>(_pointer, checked((int)(_length / Unsafe.SizeOf<T>())));

    /// <summary>Lets the system take back the memory of bytes that are mapped from a file; they are read again when touched.</summary>
    public void ReleasePages()
    {
        if (_array is null)
            _release?.Invoke();
    }

    public void Dispose()
    {
        if (_pin.IsAllocated)
            _pin.Free();
        _release?.Invoke();
        _release = null;
    }
}
