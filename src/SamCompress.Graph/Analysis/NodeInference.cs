namespace SamCompress.IR.Analysis;

/// <summary>The node is wrong: no run of it could succeed.</summary>
internal sealed class ShapeException(string message) : Exception(message);

/// <summary>What the shape function of one node sees and says.</summary>
internal sealed class NodeInference(Node node, long opset, ShapeFacts facts)
{
    public Node Node { get; } = node;

    /// <summary>The version of the node's domain.</summary>
    public long Opset { get; } = opset;

    public int InputCount => Node.Inputs.Count;

    public bool HasInput(int index) => Node.Input(index) is not null;

    public ElementType Type(int index) => Node.Input(index) is { } value ? facts.TypeOf(value) : ElementType.Undefined;

    public Shape? Shape(int index) => Node.Input(index) is { } value ? facts.ShapeOf(value) : null;

    /// <summary>The elements of a small integer input, as far as known.</summary>
    public Dimension[]? Elements(int index) => Node.Input(index) is { } value ? facts.ElementsOf(value) : null;

    /// <summary>The elements of a small integer input when all are known numbers.</summary>
    public long[]? Integers(int index) =>
        Elements(index) is { } elements && Array.TrueForAll(elements, e => e.Value is not null) ? Array.ConvertAll(elements, e => e.Value!.Value) : null;

    /// <summary>The elements of a constant float input, or null.</summary>
    public float[]? Floats(int index) =>
        Node.Input(index)?.Constant is { ElementType: ElementType.Float, Count: <= ShapeFacts.MostElements } tensor && tensor is not MissingTensor ? tensor.ToArray<float>() : null;

    /// <summary>The attribute, or in versions that take it as an input, that input when it is constant.</summary>
    public long[]? IntsOrInput(string attribute, int input) => Node.GetInts(attribute) is { } ints ? [.. ints] : Integers(input);

    public void Output(int index, ElementType type, Shape? shape = null)
    {
        if (index >= Node.Outputs.Count || Node.Outputs[index] is not { } value)
            return;
        MergeType(value, type);
        if (shape is not null)
            MergeShape(value, shape);
    }

    public void Elements(int index, Dimension[]? elements)
    {
        if (elements is null || index >= Node.Outputs.Count || Node.Outputs[index] is not { } value || elements.Length > ShapeFacts.MostElements)
            return;
        ElementType type = facts.TypeOf(value);
        if (!ShapeFacts.IsFollowed(type) || Array.TrueForAll(elements, e => e.IsUnknown()))
            return;
        if (facts.ShapeOf(value)?.ElementCount is { } count && count == elements.Length)
            facts.SetElements(value, Array.ConvertAll(elements, e => FitsInto(type, e) ? e : Dimension.Unknown));
    }

    /// <summary>A negative axis counts from the end.</summary>
    /// <exception cref="ShapeException">The axis is out of range.</exception>
    public static int Axis(long axis, int rank) =>
        axis >= -rank && axis < rank ? (int)(axis < 0 ? axis + rank : axis) : throw new ShapeException($"axis {axis} is out of range for rank {rank}");

    public static int[] Axes(IEnumerable<long> axes, int rank)
    {
        int[] result = [.. axes.Select(a => Axis(a, rank))];
        return result.Distinct().Count() == result.Length ? result : throw new ShapeException("an axis is named twice");
    }

    /// <summary>The shape of several shapes broadcast together, or null when one is unknown.</summary>
    /// <exception cref="ShapeException">They cannot be broadcast.</exception>
    public static Shape? Broadcast(params IReadOnlyList<Shape?> shapes)
    {
        if (shapes.Any(s => s is null))
            return null;
        int rank = shapes.Max(s => s!.Rank);
        var result = new Dimension[rank];
        for (int i = 0; i < rank; i++)
        {
            result[i] = 1;
            foreach (Shape? shape in shapes)
            {
                int axis = i - rank + shape!.Rank;
                if (axis >= 0)
                    result[i] = Broadcast(result[i], shape[axis]);
            }
        }

        return new Shape(result);
    }

    public static Dimension Broadcast(Dimension a, Dimension b)
    {
        if (a == b || b.Value == 1)
            return a;
        if (a.Value == 1)
            return b;
        if (a.Value is not null && b.Value is not null)
            throw new ShapeException($"dimensions {a} and {b} cannot be broadcast");
        return a.Value is not null ? a : b.Value is not null ? b : Dimension.Unknown;
    }

    /// <summary>What two descriptions of the same dimension say together: a number wins over a name, a name over nothing.</summary>
    /// <exception cref="ShapeException">They contradict each other.</exception>
    public static Dimension Unify(Dimension a, Dimension b)
    {
        if (a.Value is { } x && b.Value is { } y && x != y)
            throw new ShapeException($"dimensions {a} and {b} must be equal");
        if (a.Value is not null || b.IsUnknown())
            return a;
        return b.Value is not null || a.IsUnknown() || (a.IsHidden() && !b.IsHidden()) ? b : a;
    }

    private static bool FitsInto(ElementType type, Dimension element) => element.Value is not { } value || type switch
    {
        ElementType.Int32 => value is >= int.MinValue and <= int.MaxValue,
        ElementType.UInt8 => value is >= 0 and <= 255,
        ElementType.Int8 => value is >= -128 and <= 127,
        ElementType.Bool => value is 0 or 1,
        _ => true,
    };

    /// <summary>Where file and inference contradict each other, inference wins: what is folded must be what a run computes.</summary>
    private void MergeType(Value value, ElementType type)
    {
        ElementType known = facts.TypeOf(value);
        if (type == ElementType.Undefined || known == type)
            return;
        if (known != ElementType.Undefined)
            facts.DiagnosticList.Add(Contradiction(value, known.TextName(), type.TextName()));
        facts.SetType(value, type);
    }

    private void MergeShape(Value value, Shape shape)
    {
        if (shape.Any(d => d.Value < 0))
            throw new ShapeException($"output '{value.Name}' would have shape {Text(shape)}");
        _ = shape.ElementCount; // an overflow is reported, so that nobody else meets it
        if (facts.ShapeOf(value) is not { } known)
        {
            facts.SetShape(value, shape);
            return;
        }

        if (known.Rank != shape.Rank || known.Zip(shape).Any(d => d.First.Value is { } x && d.Second.Value is { } y && x != y))
        {
            facts.DiagnosticList.Add(Contradiction(value, Text(known), Text(shape)));
            facts.SetShape(value, shape);
            return;
        }

        facts.SetShape(value, new Shape(shape.Zip(known, Unify)));
    }

    private Diagnostic Contradiction(Value value, string declared, string inferred) =>
        new("SC3202", Severity.Warning, Node.ToString(), $"output '{value.Name}' is declared {declared} but is {inferred}");

    internal static string Text(Shape shape) => $"[{string.Join(',', shape.Select(d => d.IsHidden() ? "?" : d.ToString()))}]";
}
