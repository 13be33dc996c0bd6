using Google.Protobuf;
using SamCompress.IR.Serialization;

namespace SamCompress.IR.Text;

/// <summary>
/// Attributes as text: <c>axis = 1</c>, <c>alpha = 0.5</c>, <c>mode = "floor"</c>, <c>axes = [0, 1]</c>, <c>value = float[2] {1,2}</c>,
/// <c>body = name (...) => (...) {...}</c>, <c>type = seq(float)</c>, <c>alpha: float = @outer</c>. The kind follows from the value, or is given
/// before it, which an empty list needs: <c>axes: ints = []</c>.
/// </summary>
internal sealed class AttributeParser(TextScanner scanner, Func<GraphProto> parseGraph)
{
    /// <summary>A list between &lt; and &gt;, if one comes next.</summary>
    public void ParseList(ICollection<AttributeProto> attributes)
    {
        if (!scanner.TryTake('<'))
            return;
        if (scanner.TryTake('>'))
            return;
        do
            attributes.Add(Parse(scanner.Name()));
        while (scanner.TryTake(','));
        scanner.Take('>');
    }

    /// <summary>What follows the name of an attribute.</summary>
    public AttributeProto Parse(string name)
    {
        var attribute = new AttributeProto { Name = name };
        AttributeKind? annotated = scanner.TryTake(':') ? ParseKind() : null;
        scanner.Take('=');
        if (scanner.TryTake('@'))
        {
            attribute.RefAttrName = scanner.Name();
            if (annotated is { } kind)
                attribute.Type = (int)kind;
            return attribute;
        }

        if (scanner.TryTake('['))
            ParseListValue(attribute, annotated);
        else
            ParseSingleValue(attribute, annotated);
        return attribute;
    }

    /// <summary>A tensor behind its type: an optional name, an optional equals sign, and the elements.</summary>
    public TensorProto ParseTensor(TypeProto type, string? name = null)
    {
        if (type.TensorType is null)
            throw scanner.Error("expected a tensor type before this");
        var tensor = new TensorProto { DataType = type.TensorType.ElemType };
        foreach (TensorShapeProto.Types.Dimension dimension in type.TensorType.Shape?.Dim ?? [])
        {
            if (dimension.ValueCase != TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue || dimension.DimValue < 0)
                throw scanner.Error("every dimension of a tensor with data must be a number, not negative, before this");
            tensor.Dims.Add(dimension.DimValue);
        }

        if (name is null)
        {
            if (scanner.TryName() is { Length: > 0 } given)
                tensor.Name = given;
            _ = scanner.TryTake('=');
        }
        else if (name.Length > 0)
        {
            tensor.Name = name;
        }

        TensorText.Parse(scanner, tensor);
        return tensor;
    }

    /// <summary>A sparse tensor behind its type: <c>{values, indices}</c>, both tensors.</summary>
    public SparseTensorProto ParseSparseTensor(TypeProto type, string name = "")
    {
        var sparse = new SparseTensorProto();
        foreach (TensorShapeProto.Types.Dimension dimension in type.SparseTensorType.Shape?.Dim ?? [])
        {
            if (dimension.ValueCase != TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue)
                throw scanner.Error("every dimension of a sparse tensor must be a number, before this");
            sparse.Dims.Add(dimension.DimValue);
        }

        scanner.Take('{');
        sparse.Values = ParseTensor(TypeText.Parse(scanner));
        if (name.Length > 0)
            sparse.Values.Name = name;
        if (scanner.TryTake(','))
            sparse.Indices = ParseTensor(TypeText.Parse(scanner));
        scanner.Take('}');
        return sparse;
    }

    private AttributeKind ParseKind()
    {
        string word = scanner.PeekIdentifier();
        foreach (AttributeKind kind in Enum.GetValues<AttributeKind>())
        {
            if (AttributeText.KindName(kind) == word)
            {
                scanner.Identifier();
                return kind;
            }
        }

        throw scanner.Error("expected the kind of an attribute");
    }

    private void ParseListValue(AttributeProto attribute, AttributeKind? annotated)
    {
        if (annotated is { } known and not AttributeKind.Undefined && Single(known) == known)
            throw scanner.Error($"an attribute of kind {AttributeText.KindName(known)} holds no list");
        AttributeKind? kind = annotated is null or AttributeKind.Undefined ? null : Single(annotated.Value);
        if (scanner.TryTake(']'))
        {
            if (annotated is null)
                throw scanner.Error("an empty list needs the kind of the attribute, as in 'axes: ints = []', before this");
        }
        else
        {
            do
                kind = ParseElement(attribute, kind);
            while (scanner.TryTake(','));
            scanner.Take(']');
        }

        if (annotated != AttributeKind.Undefined)
            attribute.Type = (int)(annotated ?? List(kind!.Value));
    }

    private void ParseSingleValue(AttributeProto attribute, AttributeKind? annotated)
    {
        if (annotated is { } known and not AttributeKind.Undefined && Single(known) != known)
            throw scanner.Error($"an attribute of kind {AttributeText.KindName(known)} holds a list");
        AttributeKind? expected = annotated == AttributeKind.Undefined ? null : annotated;
        var list = new AttributeProto();
        AttributeKind kind = ParseElement(list, expected);
        if (annotated != AttributeKind.Undefined)
            attribute.Type = (int)kind;
        switch (kind)
        {
            case AttributeKind.Int:
                attribute.I = list.Ints[0];
                break;
            case AttributeKind.Float:
                attribute.F = list.Floats[0];
                break;
            case AttributeKind.String:
                attribute.S = list.Strings[0];
                break;
            case AttributeKind.Tensor:
                attribute.T = list.Tensors[0];
                break;
            case AttributeKind.Graph:
                attribute.G = list.Graphs[0];
                break;
            case AttributeKind.SparseTensor:
                attribute.SparseTensor = list.SparseTensors[0];
                break;
            default:
                attribute.Tp = list.TypeProtos[0];
                break;
        }
    }

    /// <summary>Reads one element into the list field of its kind.</summary>
    private AttributeKind ParseElement(AttributeProto list, AttributeKind? expected)
    {
        AttributeKind kind = NextKind(expected);
        if (kind != AttributeKind.Undefined)
            Expect(kind, expected);
        switch (kind)
        {
            case AttributeKind.Int:
                list.Ints.Add(scanner.Integer());
                break;
            case AttributeKind.Float:
                list.Floats.Add(TensorText.ParseFloat(scanner));
                break;
            case AttributeKind.String:
                list.Strings.Add(ByteString.CopyFrom(scanner.TextBytes()));
                break;
            case AttributeKind.Graph:
                list.Graphs.Add(parseGraph());
                break;
            default:
                kind = ParseTyped(list, TypeText.Parse(scanner), expected);
                Expect(kind, expected);
                break;
        }

        return kind;
    }

    private AttributeKind ParseTyped(AttributeProto list, TypeProto type, AttributeKind? expected)
    {
        bool data = expected != AttributeKind.TypeProto && (scanner.Next is '{' or '=' or '"' || scanner.PeekIdentifier().Length > 0);
        if (!data)
        {
            list.TypeProtos.Add(type);
            return AttributeKind.TypeProto;
        }

        if (type.SparseTensorType is not null)
        {
            _ = scanner.TryTake('=');
            list.SparseTensors.Add(ParseSparseTensor(type));
            return AttributeKind.SparseTensor;
        }

        list.Tensors.Add(ParseTensor(type));
        return AttributeKind.Tensor;
    }

    private void Expect(AttributeKind kind, AttributeKind? expected)
    {
        if (expected is { } wanted && wanted != kind)
            throw scanner.Error($"expected a value of kind {AttributeText.KindName(wanted)}, not {AttributeText.KindName(kind)}");
    }

    /// <summary>The kind that the next token starts, or Undefined before a type, which may go on as a tensor.</summary>
    private AttributeKind NextKind(AttributeKind? expected)
    {
        char next = scanner.Next;
        if (char.IsAsciiDigit(next) || next == '-')
            return expected == AttributeKind.Float || !scanner.NextIsInteger() ? AttributeKind.Float : AttributeKind.Int;
        if (next == '"')
            return expected == AttributeKind.Graph ? AttributeKind.Graph : AttributeKind.String;
        if (!TextSyntax.IsIdentifierStart(next))
            throw scanner.Error("expected the value of an attribute");
        if (TypeText.IsNext(scanner))
            return AttributeKind.Undefined;
        return TextSyntax.IsNumberWord(scanner.PeekIdentifier()) && scanner.PeekBehindIdentifier() != '(' ? AttributeKind.Float : AttributeKind.Graph;
    }

    private static AttributeKind Single(AttributeKind kind) => kind switch
    {
        AttributeKind.Floats => AttributeKind.Float,
        AttributeKind.Ints => AttributeKind.Int,
        AttributeKind.Strings => AttributeKind.String,
        AttributeKind.Tensors => AttributeKind.Tensor,
        AttributeKind.Graphs => AttributeKind.Graph,
        AttributeKind.SparseTensors => AttributeKind.SparseTensor,
        AttributeKind.TypeProtos => AttributeKind.TypeProto,
        _ => kind,
    };

    private static AttributeKind List(AttributeKind kind) => Enum.GetValues<AttributeKind>().First(k => k != kind && Single(k) == kind);
}
