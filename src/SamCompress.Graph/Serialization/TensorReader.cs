using System.Collections.Immutable;

namespace SamCompress.IR.Serialization;

/// <summary>Turns tensor messages into tensors: every one that comes out has a known type, a possible shape and the data for it.</summary>
internal sealed class TensorReader(
    string modelPath,
    MappedFile? file,
    LiftedTensors lifted,
    IReadOnlyList<WireSplicer.RawData> places,
    ExternalDataResolver? external,
    ReadOptions options)
{
    public const int External = 1;

    public Tensor Read(TensorProto proto)
    {
        var type = (ElementType)proto.DataType;
        if (!type.IsKnown())
            throw Rejected(proto, $"unknown element type {proto.DataType}");
        if (proto.Segment is not null)
            throw Rejected(proto, "data in segments is not supported");
        ImmutableArray<long> dimensions = [.. proto.Dims];
        long byteLength = CheckedLength(proto, type);

        if (proto.DataLocation == External)
        {
            if (external is null)
            {
                SamCompressException homeless = Rejected(proto, "external data, but the model has no directory");
                return options.AllowMissingData ? new MissingTensor(type, dimensions, proto, homeless) : throw homeless;
            }

            if (type == ElementType.String)
                throw Rejected(proto, "strings cannot be external data");
            (MappedFile? dataFile, long offset) = external.Resolve(proto, byteLength, out SamCompressException? missing);
            if (dataFile is not null)
                return new MappedTensor(type, dimensions, proto, dataFile, offset);
            return options.AllowMissingData ? new MissingTensor(type, dimensions, proto, missing!) : throw missing!;
        }

        if (DataFields(proto) > 1)
            throw Rejected(proto, "data in more than one field");
        if (type == ElementType.String)
        {
            long count = dimensions.Aggregate(1L, (a, b) => a * b);
            return proto.StringData.Count == count && !proto.HasRawData
                ? new StringTensor(dimensions, proto)
                : throw Rejected(proto, $"{proto.StringData.Count} strings where the shape needs {count}");
        }

        int number = proto.HasRawData ? lifted.Find(proto.RawData.Span) : -1;
        long length = number >= 0 ? lifted.Length(number) : InlineTensor.DecodedLength(proto, type);
        if (length != byteLength)
        {
            string found = length < 0 ? "the data is in the field of another type" : $"{length} bytes of data";
            throw Rejected(proto, $"{found} where {type.TextName()}[{string.Join(',', dimensions)}] needs {byteLength} bytes");
        }

        if (number < 0)
            return new InlineTensor(type, dimensions, proto);
        proto.ClearRawData();
        return new MappedTensor(type, dimensions, proto, file!, places[number].Offset);
    }

    private static int DataFields(TensorProto proto) =>
        (proto.HasRawData ? 1 : 0) + (proto.FloatData.Count > 0 ? 1 : 0) + (proto.Int32Data.Count > 0 ? 1 : 0) + (proto.StringData.Count > 0 ? 1 : 0)
        + (proto.Int64Data.Count > 0 ? 1 : 0) + (proto.DoubleData.Count > 0 ? 1 : 0) + (proto.Uint64Data.Count > 0 ? 1 : 0);

    private long CheckedLength(TensorProto proto, ElementType type)
    {
        long count = 1;
        try
        {
            foreach (long dimension in proto.Dims)
            {
                if (dimension < 0)
                    throw Rejected(proto, $"negative dimension {dimension}");
                count = checked(count * dimension);
            }

            return type.ByteLength(count);
        }
        catch (OverflowException)
        {
            throw Rejected(proto, $"shape [{string.Join(',', proto.Dims.Take(16))}] has more than 2^63 - 1 bytes");
        }
    }

    private SamCompressException Rejected(TensorProto proto, string what) =>
        new(FailureKind.InputRejected, $"tensor '{SafeText.Of(proto.Name)}': {what}") { Location = modelPath };
}
