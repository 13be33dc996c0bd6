using SamCompress.IR.Serialization;

namespace SamCompress.IR.Text;

/// <summary>How the value of an attribute is written, and tensors that are still in their messages.</summary>
internal static class AttributeText
{
    public static string KindName(AttributeKind kind) => kind switch
    {
        AttributeKind.SparseTensor => "sparse_tensor",
        AttributeKind.SparseTensors => "sparse_tensors",
        AttributeKind.TypeProto => "type_proto",
        AttributeKind.TypeProtos => "type_protos",
        _ => kind.ToString().ToLowerInvariant(),
    };

    /// <summary>The kind of the field that an attribute without a kind has set.</summary>
    public static AttributeKind Form(NodeAttribute attribute)
    {
        AttributeProto shell = attribute.Shell;
        return shell.HasF ? AttributeKind.Float
            : shell.HasI ? AttributeKind.Int
            : shell.HasS ? AttributeKind.String
            : attribute.Tensors.Count > 0 ? AttributeKind.Tensor
            : attribute.Graphs.Count > 0 ? AttributeKind.Graph
            : shell.SparseTensor is not null ? AttributeKind.SparseTensor
            : shell.Tp is not null ? AttributeKind.TypeProto
            : shell.Floats.Count > 0 ? AttributeKind.Floats
            : shell.Ints.Count > 0 ? AttributeKind.Ints
            : shell.Strings.Count > 0 ? AttributeKind.Strings
            : shell.TypeProtos.Count > 0 ? AttributeKind.TypeProtos
            : AttributeKind.Undefined;
    }

    public static bool IsEmptyList(NodeAttribute attribute, AttributeKind form) => form switch
    {
        AttributeKind.Floats => attribute.Shell.Floats.Count == 0,
        AttributeKind.Ints => attribute.Shell.Ints.Count == 0,
        AttributeKind.Strings => attribute.Shell.Strings.Count == 0,
        AttributeKind.TypeProtos => attribute.Shell.TypeProtos.Count == 0,
        AttributeKind.Tensors => attribute.Tensors.Count == 0,
        AttributeKind.SparseTensors => attribute.Shell.SparseTensors.Count == 0,
        _ => false,
    };

    /// <summary>A float that cannot be taken for an integer.</summary>
    public static string FloatLiteral(float value)
    {
        string text = TensorText.Format(value);
        return text.All(c => char.IsAsciiDigit(c) || c == '-') ? text + ".0" : text;
    }

    /// <summary>The default value of a function's attribute, whose tensor is still in its message.</summary>
    public static NodeAttribute Loose(AttributeProto proto) => new(proto, [.. (proto.T is null ? proto.Tensors : [proto.T]).Select(Loose)], []);

    /// <exception cref="SamCompressException">The data does not fit the type and the dimensions.</exception>
    public static Tensor Loose(TensorProto proto)
    {
        var type = (ElementType)proto.DataType;
        try
        {
            if (type == ElementType.String)
                return new StringTensor([.. proto.Dims], proto);
            var tensor = new InlineTensor(type, [.. proto.Dims], proto);
            if (tensor.ByteLength == InlineTensor.DecodedLength(proto, type))
                return tensor;
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw Malformed(proto, e);
        }

        throw Malformed(proto, null);
    }

    private static SamCompressException Malformed(TensorProto proto, Exception? innerException) =>
        new(FailureKind.InputRejected, $"tensor '{SafeText.Of(proto.Name)}': the data does not fit its type and dimensions", innerException: innerException);
}
