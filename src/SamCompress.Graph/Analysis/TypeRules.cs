using SamCompress.IR.Serialization;

namespace SamCompress.IR.Analysis;

/// <summary>Whether a declared type says all that it has to.</summary>
internal static class TypeRules
{
    private const int MaxDepth = 100;

    public static bool IsComplete(TypeProto? type)
    {
        for (int depth = 0; depth < MaxDepth; depth++)
        {
            switch (type?.ValueCase)
            {
                case TypeProto.ValueOneofCase.TensorType:
                    return ((ElementType)type.TensorType.ElemType).IsKnown();
                case TypeProto.ValueOneofCase.SparseTensorType:
                    return ((ElementType)type.SparseTensorType.ElemType).IsKnown();
                case TypeProto.ValueOneofCase.OpaqueType:
                    return type.OpaqueType.Name.Length > 0;
                case TypeProto.ValueOneofCase.SequenceType:
                    type = type.SequenceType.ElemType;
                    break;
                case TypeProto.ValueOneofCase.OptionalType:
                    type = type.OptionalType.ElemType;
                    break;
                case TypeProto.ValueOneofCase.MapType when ((ElementType)type.MapType.KeyType).IsKnown():
                    type = type.MapType.ValueType;
                    break;
                default:
                    return false;
            }
        }

        return false;
    }
}
