using System.Buffers;
using System.Collections;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using SamCompress.IR;
using TensorElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace SamCompress.Runtime.Inference;

/// <summary>
/// A tensor that goes into or comes out of a model, in memory that ONNX Runtime reads and writes in place.
/// Row-major. Dispose of it when no session uses it any more.
/// </summary>
public sealed class RuntimeTensor : IDisposable
{
    private readonly IDisposable? _memory;

    internal RuntimeTensor(OrtValue value, ElementType elementType, ImmutableArray<long> dimensions, IDisposable? memory = null)
    {
        Value = value;
        ElementType = elementType;
        Dimensions = dimensions;
        _memory = memory;
    }

    public ElementType ElementType { get; }

    public ImmutableArray<long> Dimensions { get; }

    /// <summary>The number of elements.</summary>
    public long Count => Dimensions.Aggregate(1L, (product, d) => checked(product * d));

    internal OrtValue Value { get; }

    /// <summary>Wraps an array without copying it. Its elements may be changed between runs.</summary>
    /// <exception cref="ArgumentException">The dimensions do not ask for that many elements, or <typeparamref name="T"/> is no tensor element.</exception>
    public static RuntimeTensor Of<T>(T[] elements, params ReadOnlySpan<long> dimensions)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(elements);
        ElementType type = TypeOf<T>();
        var memory = new Pin(elements);
        return Wrap(type, dimensions, memory.Address, (long)elements.Length * Unsafe.SizeOf<T>(), memory);
    }

    /// <summary>A tensor with one element and no dimension.</summary>
    public static RuntimeTensor Scalar<T>(T element)
        where T : unmanaged => Of([element]);

    /// <summary>Wraps the bytes of a tensor of a model; those mapped from a file are not copied.</summary>
    /// <exception cref="SamCompressException">An element type that ONNX Runtime's binding cannot take: strings, and types under a byte.</exception>
    public static RuntimeTensor Of(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        TensorLease lease = OpenPinned(tensor, out nint address);
        return Wrap(tensor.ElementType, tensor.Dimensions.AsSpan(), address, tensor.ByteLength, lease);
    }

    /// <summary>The elements, seen as a type of their size. Valid until the tensor is disposed of.</summary>
    /// <exception cref="ArgumentException"><typeparamref name="T"/> has another size than an element.</exception>
    public Span<T> As<T>()
        where T : unmanaged
    {
        if (Unsafe.SizeOf<T>() * 8 != ElementType.BitWidth())
            throw new ArgumentException($"elements of {ElementType.TextName()} cannot be seen as {typeof(T).Name}");
        return Count == 0 ? [] : MemoryMarshal.Cast<byte, T>(Value.GetTensorMutableRawData());
    }

    /// <summary>A copy of the elements.</summary>
    public T[] ToArray<T>()
        where T : unmanaged => As<T>().ToArray();

    /// <summary>A copy as a tensor of the IR.</summary>
    public Tensor ToTensor() =>
        Tensor.FromBytes(ElementType, Dimensions.AsSpan(), Count == 0 ? [] : Value.GetTensorMutableRawData().ToArray());

    public void Dispose()
    {
        Value.Dispose();
        _memory?.Dispose();
    }

    /// <summary>For example <c>float[1,3,256,256]</c>.</summary>
    public override string ToString() => $"{ElementType.TextName()}[{string.Join(',', Dimensions)}]";

    internal static RuntimeTensor Take(OrtValue value)
    {
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        return new RuntimeTensor(value, (ElementType)info.ElementDataType, [.. info.Shape]);
    }

    /// <summary>Opens a tensor and keeps its bytes at one address until the lease is disposed of.</summary>
    internal static unsafe TensorLease OpenPinned(Tensor tensor, out nint address)
    {
        TensorLease lease = tensor.Open();
        address = (nint)lease.Pin();
        return lease;
    }

    private static RuntimeTensor Wrap(ElementType type, ReadOnlySpan<long> dimensions, nint address, long bytes, IDisposable memory)
    {
        try
        {
            long count = 1;
            foreach (long d in dimensions)
                count = checked(count * d);
            if (type.ByteLength(count) != bytes)
                throw new ArgumentException($"{type.TextName()}[{string.Join(',', dimensions.ToArray())}] needs {type.ByteLength(count)} bytes, not {bytes}");
            if (type is ElementType.String or > ElementType.BFloat16)
                throw new SamCompressException(FailureKind.Unsupported, $"tensors of {type.TextName()} cannot be handed to a running model");
            OnnxRuntimeLibrary.Require();
            OrtValue value = OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, (TensorElementType)type, dimensions.ToArray(), address, bytes);
            return new RuntimeTensor(value, type, [.. dimensions], memory);
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    private static ElementType TypeOf<T>() => Type.GetTypeCode(typeof(T)) switch
    {
        TypeCode.Single => ElementType.Float,
        TypeCode.Double => ElementType.Double,
        TypeCode.Byte => ElementType.UInt8,
        TypeCode.SByte => ElementType.Int8,
        TypeCode.UInt16 => ElementType.UInt16,
        TypeCode.Int16 => ElementType.Int16,
        TypeCode.UInt32 => ElementType.UInt32,
        TypeCode.Int32 => ElementType.Int32,
        TypeCode.UInt64 => ElementType.UInt64,
        TypeCode.Int64 => ElementType.Int64,
        TypeCode.Boolean => ElementType.Bool,
        _ when typeof(T) == typeof(Half) => ElementType.Float16,
        _ => throw new ArgumentException($"{typeof(T).Name} is no tensor element"),
    };

    private sealed class Pin : IDisposable
    {
        private MemoryHandle _handle;

        /// <summary>ONNX Runtime wants an address also for no bytes.</summary>
        public unsafe Pin(Array elements)
        {
            if (elements.Length == 0)
                elements = new byte[1];
            var handle = GCHandle.Alloc(elements, GCHandleType.Pinned);
            Address = handle.AddrOfPinnedObject();
            _handle = new MemoryHandle((void*)Address, handle);
        }

        public nint Address { get; }

        public void Dispose() => _handle.Dispose();
    }
}

/// <summary>The named outputs of a run, owned by the caller.</summary>
public sealed class RuntimeTensors : IReadOnlyDictionary<string, RuntimeTensor>, IDisposable
{
    private readonly Dictionary<string, RuntimeTensor> _tensors;

    internal RuntimeTensors(Dictionary<string, RuntimeTensor> tensors) => _tensors = tensors;

    public RuntimeTensor this[string key] => _tensors[key];

    public IEnumerable<string> Keys => _tensors.Keys;

    public IEnumerable<RuntimeTensor> Values => _tensors.Values;

    public int Count => _tensors.Count;

    public bool ContainsKey(string key) => _tensors.ContainsKey(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out RuntimeTensor value) => _tensors.TryGetValue(key, out value);

    public IEnumerator<KeyValuePair<string, RuntimeTensor>> GetEnumerator() => _tensors.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Takes one output out of the collection, so that it outlives it.</summary>
    public RuntimeTensor Detach(string key)
    {
        RuntimeTensor tensor = _tensors[key];
        _tensors.Remove(key);
        return tensor;
    }

    public void Dispose()
    {
        foreach (RuntimeTensor tensor in _tensors.Values)
            tensor.Dispose();
        _tensors.Clear();
    }
}
