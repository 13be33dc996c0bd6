namespace SamCompress.IR.Serialization;

/// <summary>Types and shapes between messages and the IR.</summary>
internal static class TypeMessages
{
    /// <summary>Gives a value the type that a message declares. Types other than tensors stay in the message.</summary>
    public static void Declare(Value value, ValueInfoProto declaration)
    {
        (ElementType type, Shape? shape) = Read(declaration.Type);
        value.Declare(declaration, type, shape);
    }

    public static (ElementType Type, Shape? Shape) Read(TypeProto? type) =>
        type?.TensorType is { } tensor ? ((ElementType)tensor.ElemType, Read(tensor.Shape)) : (ElementType.Undefined, null);

    /// <summary>The declaration of a value under its present name and type; <paramref name="asRead"/> unchanged where they are.</summary>
    public static ValueInfoProto Write(Value value, ValueInfoProto? asRead)
    {
        if (asRead is not null && asRead.Name == value.Name && (!value.TypeChanged || Read(asRead.Type).Equals((value.ElementType, value.Shape))))
            return asRead;
        ValueInfoProto declaration = asRead?.Clone() ?? new ValueInfoProto();
        declaration.Name = value.Name;
        if (!value.TypeChanged && asRead is not null)
            return declaration;
        if (value.ElementType == ElementType.Undefined)
            return declaration;
        if (declaration.Type is null)
            declaration.Type = new TypeProto();
        TypeProto.Types.Tensor tensor = declaration.Type.TensorType ??= new TypeProto.Types.Tensor();
        tensor.ElemType = (int)value.ElementType;
        tensor.Shape = Write(value.Shape, tensor.Shape);
        return declaration;
    }

    private static Shape? Read(TensorShapeProto? shape) => shape is null
        ? null
        : new Shape(shape.Dim.Select(d => d.ValueCase switch
        {
            TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue => Dimension.Of(d.DimValue),
            TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam when d.DimParam.Length > 0 => Dimension.Of(d.DimParam),
            _ => Dimension.Unknown,
        }));

    private static TensorShapeProto? Write(Shape? shape, TensorShapeProto? asRead)
    {
        if (shape is null)
            return null;
        var proto = new TensorShapeProto();
        for (int i = 0; i < shape.Rank; i++)
        {
            var dimension = new TensorShapeProto.Types.Dimension();
            if (shape[i].Value is { } value)
                dimension.DimValue = value;
            else if (shape[i].Parameter is { } parameter)
                dimension.DimParam = parameter;
            if (asRead?.Dim.Count == shape.Rank && asRead.Dim[i].HasDenotation)
                dimension.Denotation = asRead.Dim[i].Denotation;
            proto.Dim.Add(dimension);
        }

        return proto;
    }
}
