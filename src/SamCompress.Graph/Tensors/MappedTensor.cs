using System.Collections.Immutable;
using SamCompress.IR.Serialization;

namespace SamCompress.IR;

/// <summary>A tensor whose bytes are a range of a file: external data, or the raw bytes inside the model file itself.</summary>
internal sealed class MappedTensor : Tensor
{
    private readonly MappedFile _file;
    private readonly long _offset;

    public MappedTensor(ElementType elementType, ImmutableArray<long> dimensions, TensorProto shell, MappedFile file, long offset)
        : base(elementType, dimensions)
    {
        Shell = shell;
        _file = file;
        _offset = offset;
    }

    public override unsafe TensorLease Open() =>
        new(_file.Pointer(_offset, ByteLength), ByteLength, () => _file.Forget(_offset, ByteLength));

    public override void CopyTo(Stream destination) => _file.CopyTo(_offset, ByteLength, destination);
}
