using System.Buffers;
using System.Collections.Immutable;
using SamCompress.IR.Serialization;

namespace SamCompress.IR;

/// <summary>A tensor computed each time its bytes are asked for: a function of other tensors.</summary>
internal sealed class LazyTensor(ElementType elementType, ImmutableArray<long> dimensions, Action<Span<byte>> compute)
    : Tensor(elementType, dimensions)
{
    public override TensorLease Open()
    {
        int length = checked((int)ByteLength);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        compute(buffer.AsSpan(0, length));
        return new TensorLease(buffer, length, () => ArrayPool<byte>.Shared.Return(buffer));
    }
}

/// <summary>A tensor whose data file is not there. Type and shape are known; opening it is an error that names the file.</summary>
internal sealed class MissingTensor : Tensor
{
    private readonly SamCompressException _error;

    public MissingTensor(ElementType elementType, ImmutableArray<long> dimensions, TensorProto shell, SamCompressException error)
        : base(elementType, dimensions)
    {
        Shell = shell;
        _error = error;
    }

    public override TensorLease Open() => throw new SamCompressException(_error.Kind, _error.Message, _error.Hint) { Location = _error.Location };
}
