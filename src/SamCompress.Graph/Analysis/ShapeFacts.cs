using System.Diagnostics.CodeAnalysis;

namespace SamCompress.IR.Analysis;

/// <summary>What shape inference found out: element types and shapes, and the elements of small integer tensors as far as they are known.</summary>
public sealed class ShapeFacts
{
    /// <summary>The elements of bigger tensors are not followed.</summary>
    internal const int MostElements = 1024;

    private readonly Dictionary<Value, ElementType> _types = [];
    private readonly Dictionary<Value, Shape> _shapes = [];
    private readonly Dictionary<Value, Dimension[]?> _elements = [];

    internal ShapeFacts()
    {
    }

    /// <summary>What is wrong with the graph: shapes that no run could have.</summary>
    public IReadOnlyList<Diagnostic> Diagnostics => DiagnosticList;

    internal List<Diagnostic> DiagnosticList { get; } = [];

    /// <summary>
    /// The elements of an integer or bool tensor (bools as 0 and 1) in row-major order: numbers, names of dimensions, or unknown.
    /// Two elements with the same name are equal in every run.
    /// </summary>
    /// <returns>False when the tensor is no small integer tensor or nothing is known.</returns>
    public bool TryGetElements(Value value, [NotNullWhen(true)] out IReadOnlyList<Dimension>? elements)
    {
        elements = ElementsOf(value);
        return elements is not null;
    }

    /// <summary>The shape, in which dimensions that are unknown but equal to each other have the same name.</summary>
    public Shape? ShapeOf(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (_shapes.TryGetValue(value, out Shape? shape))
            return shape;
        if (value.Shape is { } declared)
            return _shapes[value] = Named(value, declared);
        return null;
    }

    internal ElementType TypeOf(Value value) => _types.GetValueOrDefault(value, value.ElementType);

    internal Dimension[]? ElementsOf(Value value)
    {
        if (_elements.TryGetValue(value, out Dimension[]? elements))
            return elements;
        if (value.Constant is { } tensor && IsFollowed(tensor.ElementType) && tensor.Count <= MostElements && tensor is not MissingTensor)
            return _elements[value] = Array.ConvertAll(tensor.ToInt64s(), e => (Dimension)e);
        return null;
    }

    internal static bool IsFollowed(ElementType type) =>
        type is ElementType.Int64 or ElementType.Int32 or ElementType.Bool or ElementType.UInt8 or ElementType.Int8;

    internal void SetType(Value value, ElementType type) => _types[value] = type;

    internal void SetShape(Value value, Shape shape) => _shapes[value] = Named(value, shape);

    internal void SetElements(Value value, Dimension[] elements) => _elements[value] = elements;

    /// <summary>Writes types and shapes to the values; names that stand for the unknown are left out.</summary>
    internal void Commit()
    {
        foreach ((Value value, ElementType type) in _types)
            value.ElementType = type;
        foreach ((Value value, Shape shape) in _shapes)
            value.Shape = shape.Any(d => d.IsHidden()) ? new Shape(shape.Select(d => d.IsHidden() ? Dimension.Unknown : d)) : shape;
    }

    private static Shape Named(Value value, Shape shape) =>
        shape.Any(d => d.IsUnknown()) ? new Shape(shape.Select((d, axis) => d.IsUnknown() ? SymbolicDimension.Hidden(value.Name, axis) : d)) : shape;
}
