using System.Globalization;
using SamCompress.IR.Serialization;

namespace SamCompress.IR.Text;

/// <summary>
/// Types as text, and back: <c>float</c> is a scalar, <c>float[]</c> of unknown rank, <c>float[1,N,?]</c> has a shape;
/// <c>seq(T)</c>, <c>optional(T)</c>, <c>map(key,T)</c>, <c>sparse_tensor(float[N])</c>, <c>opaque(domain,name)</c>.
/// A shape of unknown element type is <c>undefined[...]</c>. Denotations are left out.
/// </summary>
internal static class TypeText
{
    /// <summary>The declared type of a value, or an empty string when nothing is known of it.</summary>
    public static string Format(Value value)
    {
        TypeProto? declared = value.Declaration?.Type;
        bool tensor = declared is null || declared.ValueCase is TypeProto.ValueOneofCase.TensorType or TypeProto.ValueOneofCase.None;
        return tensor || value.ElementType != ElementType.Undefined ? Format(value.ElementType, value.Shape) : Format(declared!);
    }

    /// <summary>A tensor type, or an empty string when nothing is known of it.</summary>
    public static string Format(ElementType elementType, Shape? shape)
    {
        if (elementType == ElementType.Undefined && shape is null)
            return "";
        string dimensions = shape is null ? "[]" : shape.Rank == 0 && elementType != ElementType.Undefined ? "" : $"[{string.Join(',', shape.Select(Format))}]";
        return elementType.TextName() + dimensions;
    }

    public static string Format(TypeProto type) => type.ValueCase switch
    {
        TypeProto.ValueOneofCase.TensorType => Format(type.TensorType.ElemType, type.TensorType.Shape),
        TypeProto.ValueOneofCase.SparseTensorType => $"sparse_tensor({Format(type.SparseTensorType.ElemType, type.SparseTensorType.Shape)})",
        TypeProto.ValueOneofCase.SequenceType => $"seq({FormatInner(type.SequenceType.ElemType)})",
        TypeProto.ValueOneofCase.OptionalType => $"optional({FormatInner(type.OptionalType.ElemType)})",
        TypeProto.ValueOneofCase.MapType => $"map({((ElementType)type.MapType.KeyType).TextName()},{FormatInner(type.MapType.ValueType)})",
        TypeProto.ValueOneofCase.OpaqueType => type.OpaqueType.Domain.Length > 0
            ? $"opaque({TextSyntax.Quote(type.OpaqueType.Domain)},{TextSyntax.Name(type.OpaqueType.Name)})"
            : $"opaque({(type.OpaqueType.Name.Length > 0 ? TextSyntax.Name(type.OpaqueType.Name) : "")})",
        _ => "undefined[]",
    };

    /// <summary>Whether a type comes next, and not a name.</summary>
    public static bool IsNext(TextScanner scanner)
    {
        string word = scanner.PeekIdentifier();
        return TextSyntax.IsTypeWord(word) || (word == TextSyntax.Undefined && scanner.PeekBehindIdentifier() == '[');
    }

    /// <param name="depth">How many types are around this one.</param>
    public static TypeProto Parse(TextScanner scanner, int depth = 0)
    {
        if (depth > TextSyntax.MaxDepth)
            throw scanner.Error($"nesting deeper than {TextSyntax.MaxDepth}");
        if (!IsNext(scanner))
            throw scanner.Error("expected a type");
        switch (scanner.PeekIdentifier())
        {
            case TextSyntax.Sequence:
                return new TypeProto { SequenceType = new TypeProto.Types.Sequence { ElemType = ParseInner(scanner, depth) } };
            case TextSyntax.Optional:
                return new TypeProto { OptionalType = new TypeProto.Types.Optional { ElemType = ParseInner(scanner, depth) } };
            case TextSyntax.SparseTensor:
                if (ParseInner(scanner, depth).TensorType is not { } dense)
                    throw scanner.Error("expected a tensor type before this");
                return new TypeProto { SparseTensorType = new TypeProto.Types.SparseTensor { ElemType = dense.ElemType, Shape = dense.Shape } };
            case TextSyntax.Map:
                return new TypeProto { MapType = ParseMap(scanner, depth) };
            case TextSyntax.Opaque:
                return new TypeProto { OpaqueType = ParseOpaque(scanner) };
            default:
                return new TypeProto { TensorType = ParseTensor(scanner) };
        }
    }

    private static string FormatInner(TypeProto? type) => type is null ? "undefined[]" : Format(type);

    private static string Format(int elementType, TensorShapeProto? shape)
    {
        string name = ((ElementType)elementType).TextName();
        if (shape is null)
            return name + "[]";
        return shape.Dim.Count == 0 && elementType != 0 ? name : $"{name}[{string.Join(',', shape.Dim.Select(Format))}]";
    }

    private static string Format(TensorShapeProto.Types.Dimension dimension) => dimension.ValueCase switch
    {
        TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue => dimension.DimValue.ToString(CultureInfo.InvariantCulture),
        TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam => TextSyntax.Name(dimension.DimParam),
        _ => "?",
    };

    private static string Format(Dimension dimension) =>
        dimension.Parameter is { } parameter ? TextSyntax.Name(parameter) : dimension.ToString();

    private static TypeProto ParseInner(TextScanner scanner, int depth)
    {
        scanner.Identifier();
        scanner.Take('(');
        TypeProto inner = Parse(scanner, depth + 1);
        scanner.Take(')');
        return inner;
    }

    private static TypeProto.Types.Tensor ParseTensor(TextScanner scanner)
    {
        var type = new TypeProto.Types.Tensor();
        ElementType element = ElementTypes.Parse(scanner.Identifier());
        if (element != ElementType.Undefined)
            type.ElemType = (int)element;
        if (!scanner.TryTake('['))
        {
            type.Shape = new TensorShapeProto();
            return type;
        }

        if (scanner.TryTake(']'))
            return type;
        type.Shape = new TensorShapeProto();
        do
        {
            var dimension = new TensorShapeProto.Types.Dimension();
            if (scanner.TryName() is { } parameter)
                dimension.DimParam = parameter;
            else if (!scanner.TryTake('?'))
                dimension.DimValue = scanner.Integer();
            type.Shape.Dim.Add(dimension);
        }
        while (scanner.TryTake(','));
        scanner.Take(']');
        return type;
    }

    private static TypeProto.Types.Map ParseMap(TextScanner scanner, int depth)
    {
        scanner.Identifier();
        scanner.Take('(');
        ElementType key = ElementTypes.Parse(scanner.PeekIdentifier());
        if (key == ElementType.Undefined)
            throw scanner.Error("expected an element type as the type of keys");
        scanner.Identifier();
        scanner.Take(',');
        TypeProto value = Parse(scanner, depth + 1);
        scanner.Take(')');
        return new TypeProto.Types.Map { KeyType = (int)key, ValueType = value };
    }

    private static TypeProto.Types.Opaque ParseOpaque(TextScanner scanner)
    {
        var type = new TypeProto.Types.Opaque();
        scanner.Identifier();
        scanner.Take('(');
        if (scanner.TryTake(')'))
            return type;
        string first = scanner.Name();
        while (scanner.TryTake('.'))
            first += "." + scanner.Identifier();
        if (scanner.TryTake(','))
        {
            type.Domain = first;
            type.Name = scanner.Name();
        }
        else
        {
            type.Name = first;
        }

        scanner.Take(')');
        return type;
    }
}
