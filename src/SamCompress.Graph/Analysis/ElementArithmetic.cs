namespace SamCompress.IR.Analysis;

/// <summary>Follows the elements of small integer tensors through arithmetic, so that computed shapes become known.</summary>
internal static class ElementArithmetic
{
    public static void Register(ShapeFunctions functions)
    {
        functions.Then("Add", n => Binary(n, SymbolicDimension.Add));
        functions.Then("Sub", n => Binary(n, SymbolicDimension.Subtract));
        functions.Then("Mul", n => Binary(n, SymbolicDimension.Multiply));
        functions.Then("Div", n => Binary(n, Divide));
        functions.Then("Mod", n => Binary(n, (a, b) => Modulo(a, b, isC: n.Node.GetInt("fmod", 0) != 0)));
        functions.Then("Max", n => Binary(n, (a, b) => a.IsSameAs(b) ? a : OfNumbers(a, b, Math.Max)));
        functions.Then("Min", n => Binary(n, (a, b) => a.IsSameAs(b) ? a : OfNumbers(a, b, Math.Min)));
        functions.Then("Equal", n => Binary(n, Equal));
        functions.Then("Greater", n => Binary(n, (a, b) => OfNumbers(a, b, (x, y) => x > y ? 1 : 0)));
        functions.Then("GreaterOrEqual", n => Binary(n, (a, b) => OfNumbers(a, b, (x, y) => x >= y ? 1 : 0)));
        functions.Then("Less", n => Binary(n, (a, b) => OfNumbers(a, b, (x, y) => x < y ? 1 : 0)));
        functions.Then("LessOrEqual", n => Binary(n, (a, b) => OfNumbers(a, b, (x, y) => x <= y ? 1 : 0)));
        functions.Then("And", n => Binary(n, (a, b) => a.Value == 0 || b.Value == 0 ? 0 : OfNumbers(a, b, (x, y) => x & y)));
        functions.Then("Or", n => Binary(n, (a, b) => a.Value == 1 || b.Value == 1 ? 1 : OfNumbers(a, b, (x, y) => x | y)));
        functions.Then("Not", n => Unary(n, a => a.Value is { } x ? 1 - x : Dimension.Unknown));
        functions.Then("Neg", n => Unary(n, a => SymbolicDimension.Subtract(0, a)));
        functions.Then("Abs", n => Unary(n, a => a.Value is { } x and not long.MinValue ? Math.Abs(x) : Dimension.Unknown));
        functions.Then("Sign", n => Unary(n, a => a.Value is { } x ? Math.Sign(x) : Dimension.Unknown));
        functions.Then("Identity", n => Unary(n, a => a));
        functions.Then("Cast", Cast);
        functions.Then("Where", Where);
        foreach (string op in (string[])["ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin"])
            functions.Then(op, n => Reduce(n, op));
    }

    /// <summary>Division of integers rounds towards zero.</summary>
    private static Dimension Divide(Dimension a, Dimension b)
    {
        if (b.Value == 0)
            throw new ShapeException("a division by zero");
        if (b.Value == 1)
            return a;
        return a.Value == long.MinValue ? Dimension.Unknown : OfNumbers(a, b, (x, y) => x / y);
    }

    /// <summary>The sign of the result is that of the divisor, or with <paramref name="isC"/> that of the dividend.</summary>
    private static Dimension Modulo(Dimension a, Dimension b, bool isC)
    {
        if (b.Value == 0)
            throw new ShapeException("a division by zero");
        if (b.Value == -1)
            return a.Value is null ? Dimension.Unknown : 0;
        return OfNumbers(a, b, (x, y) => isC || x % y == 0 || (x < 0) == (y < 0) ? x % y : (x % y) + y);
    }

    private static Dimension Equal(Dimension a, Dimension b)
    {
        if (a.IsSameAs(b))
            return 1;
        // A dimension is never negative.
        bool differs = (a.Value < 0 && IsPlainName(b)) || (b.Value < 0 && IsPlainName(a));
        return differs ? 0 : OfNumbers(a, b, (x, y) => x == y ? 1 : 0);
    }

    private static bool IsPlainName(Dimension d) => d.Parameter is { } name && !name.Contains(" - ", StringComparison.Ordinal);

    private static Dimension OfNumbers(Dimension a, Dimension b, Func<long, long, long> compute) =>
        a.Value is { } x && b.Value is { } y ? compute(x, y) : Dimension.Unknown;

    private static void Unary(NodeInference n, Func<Dimension, Dimension> compute)
    {
        if (n.Elements(0) is { } elements)
            n.Elements(0, Array.ConvertAll(elements, e => compute(e)));
    }

    private static void Binary(NodeInference n, Func<Dimension, Dimension, Dimension> compute)
    {
        if (n.InputCount != 2 || n.Elements(0) is not { } a || n.Elements(1) is not { } b)
            return;
        if (n.Shape(0)?.ToStatic() is not { } left || n.Shape(1)?.ToStatic() is not { } right || NodeInference.Broadcast(n.Shape(0), n.Shape(1))?.ToStatic() is not { } result)
            return;
        if (ElementMovement.Broadcast(a, left, result) is { } x && ElementMovement.Broadcast(b, right, result) is { } y)
            n.Elements(0, [.. x.Zip(y, compute)]);
    }

    private static void Cast(NodeInference n)
    {
        if (n.Elements(0) is { } elements)
            n.Elements(0, (ElementType)n.Node.GetInt("to", 0) == ElementType.Bool ? Array.ConvertAll(elements, e => e.Value is { } x ? x != 0 ? 1 : 0 : Dimension.Unknown) : elements);
    }

    private static void Where(NodeInference n)
    {
        if (n.Elements(0) is not { } condition || n.Elements(1) is not { } yes || n.Elements(2) is not { } no)
            return;
        Shape?[] shapes = [n.Shape(0), n.Shape(1), n.Shape(2)];
        if (NodeInference.Broadcast(shapes)?.ToStatic() is not { } result || Array.Exists(shapes, s => s is null or { IsStatic: false }))
            return;
        Dimension[]?[] all = [.. ((Dimension[][])[condition, yes, no]).Select((e, i) => ElementMovement.Broadcast(e, shapes[i]!.ToStatic()!, result))];
        if (all is not [{ } c, { } y, { } x])
            return;
        n.Elements(0, [.. c.Select((test, i) => test.Value switch
        {
            null => y[i].IsSameAs(x[i]) ? y[i] : Dimension.Unknown,
            0 => x[i],
            _ => y[i],
        })]);
    }

    private static void Reduce(NodeInference n, string op)
    {
        if (n.Shape(0) is not { Rank: <= 1 } || n.Elements(0) is not { Length: > 0 } elements)
            return;
        long[]? axes = n.IntsOrInput("axes", 1);
        if (axes is null ? n.HasInput(1) || n.Node.GetInt("noop_with_empty_axes", 0) != 0 : axes.Length == 0)
            return;
        n.Elements(0, [elements.Aggregate(op switch
        {
            "ReduceProd" => SymbolicDimension.Multiply,
            "ReduceSum" => SymbolicDimension.Add,
            "ReduceMax" => (a, b) => OfNumbers(a, b, Math.Max),
            _ => (a, b) => OfNumbers(a, b, Math.Min),
        })]);
    }
}
