namespace SamCompress.IR.Analysis;

/// <summary>Operators that make tensors from shapes, numbers or nothing.</summary>
internal static class GeneratorShapes
{
    public static void Register(ShapeFunctions functions)
    {
        functions.Add("Constant", Constant);
        functions.Add("Shape", ShapeOf);
        functions.Add("Size", n =>
        {
            n.Output(0, ElementType.Int64, Shape.Scalar);
            if (n.Shape(0) is { } shape)
                n.Elements(0, [shape.Aggregate(Dimension.Of(1), SymbolicDimension.Multiply)]);
        });
        functions.Add("ConstantOfShape", ConstantOfShape);
        functions.Add("Range", Range);
        functions.Add("OneHot", OneHot);
        functions.Add("EyeLike", n => n.Output(0, n.Node.GetInt("dtype", 0) is > 0 and var type ? (ElementType)type : n.Type(0), n.Shape(0)));
        functions.Add("NonZero", n => n.Output(0, ElementType.Int64, n.Shape(0) is { } s ? new Shape([Math.Max(s.Rank, 1), Dimension.Unknown]) : null));
        foreach (string op in (string[])["RandomNormal", "RandomUniform"])
            functions.Add(op, n => n.Output(0, (ElementType)n.Node.GetInt("dtype", (long)ElementType.Float), n.Node.GetInts("shape") is { } s ? Shape.Of([.. s]) : null));
        foreach (string op in (string[])["RandomNormalLike", "RandomUniformLike", "Bernoulli"])
            functions.Add(op, n => n.Output(0, n.Node.GetInt("dtype", 0) is > 0 and var type ? (ElementType)type : n.Type(0), n.Shape(0)));
    }

    private static void Constant(NodeInference n)
    {
        if (n.Node.Attribute("value") is { } value)
        {
            Tensor tensor = value.Tensor;
            n.Output(0, tensor.ElementType, Shape.Of(tensor.Dimensions.AsSpan()));
            if (ShapeFacts.IsFollowed(tensor.ElementType) && tensor.Count <= ShapeFacts.MostElements && tensor is not MissingTensor)
                n.Elements(0, Array.ConvertAll(tensor.ToInt64s(), e => (Dimension)e));
        }
        else if (n.Node.Attribute("value_int") is { } integer)
        {
            n.Output(0, ElementType.Int64, Shape.Scalar);
            n.Elements(0, [integer.Int]);
        }
        else if (n.Node.Attribute("value_ints") is { } integers)
        {
            n.Output(0, ElementType.Int64, Shape.Of(integers.Ints.Count));
            n.Elements(0, [.. integers.Ints.Select(Dimension.Of)]);
        }
        else if (n.Node.Attribute("value_float") is not null)
        {
            n.Output(0, ElementType.Float, Shape.Scalar);
        }
        else if (n.Node.Attribute("value_floats") is { } floats)
        {
            n.Output(0, ElementType.Float, Shape.Of(floats.Floats.Count));
        }
        else if (n.Node.Attribute("value_string") is not null)
        {
            n.Output(0, ElementType.String, Shape.Scalar);
        }
        else if (n.Node.Attribute("value_strings") is { } strings)
        {
            n.Output(0, ElementType.String, Shape.Of(strings.Strings.Count));
        }
    }

    private static void ShapeOf(NodeInference n)
    {
        n.Output(0, ElementType.Int64);
        if (n.Shape(0) is not { } shape)
            return;
        int Clamped(long axis) => (int)Math.Clamp(axis < 0 ? axis + shape.Rank : axis, 0, shape.Rank);
        int start = Clamped(n.Node.GetInt("start", 0));
        int end = Math.Max(start, Clamped(n.Node.GetInt("end", shape.Rank)));
        n.Output(0, ElementType.Int64, Shape.Of(end - start));
        n.Elements(0, [.. shape.Skip(start).Take(end - start)]);
    }

    private static void ConstantOfShape(NodeInference n)
    {
        Tensor? value = n.Node.Attribute("value")?.Tensor;
        ElementType type = value?.ElementType ?? ElementType.Float;
        n.Output(0, type);
        if (n.Elements(0) is not { } target)
            return;
        var shape = new Shape(target);
        n.Output(0, type, shape);
        if (value is not null && ShapeFacts.IsFollowed(type) && shape.ElementCount is { } count and <= ShapeFacts.MostElements)
            n.Elements(0, [.. Enumerable.Repeat((Dimension)value.ToInt64s()[0], (int)count)]);
    }

    private static void Range(NodeInference n)
    {
        n.Output(0, n.Type(0), new Shape(Dimension.Unknown));
        if (n.Elements(0) is not [var start] || n.Elements(1) is not [var limit] || n.Elements(2) is not [{ Value: { } step }])
            return;
        if (step == 0)
            throw new ShapeException("a step of 0");
        if (start.Value == 0 && step == 1)
            n.Output(0, n.Type(0), new Shape(limit));
        if (start.Value is not { } from || limit.Value is not { } to)
            return;
        long count = Math.Max(0, (long)Math.Ceiling((to - from) / (decimal)step));
        n.Output(0, n.Type(0), Shape.Of(count));
        if (count <= ShapeFacts.MostElements)
            n.Elements(0, [.. Enumerable.Range(0, (int)count).Select(i => (Dimension)(from + (i * step)))]);
    }

    private static void OneHot(NodeInference n)
    {
        n.Output(0, n.Type(2));
        if (n.Shape(0) is not { } indices)
            return;
        int axis = NodeInference.Axis(n.Node.GetInt("axis", -1), indices.Rank + 1);
        Dimension depth = n.Elements(1) is [var only] ? only : Dimension.Unknown;
        n.Output(0, n.Type(2), new Shape([.. indices.Take(axis), depth, .. indices.Skip(axis)]));
    }
}
