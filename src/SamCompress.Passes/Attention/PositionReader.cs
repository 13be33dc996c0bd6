using SamCompress.IR;
using SamCompress.Passes.Analysis;

namespace SamCompress.Passes.Attention;

/// <summary>Reads what stands between the product of query and key and the Softmax: factors, and the term for positions.</summary>
internal sealed class PositionReader(QueryKeyProduct product, long tokens, ConstantFlow constants)
{
    private double _scale = 1;
    private Half? _height, _width;
    private PositionTerm? _whole;

    /// <summary>One of the two terms of a decomposed relative position.</summary>
    private sealed record Half(Value Table, double Factor);

    /// <summary>The factor of the product and the term, or why they could not be read.</summary>
    public (double Scale, PositionTerm? Position, string Why) Read(Node softmax)
    {
        double factor = 1;
        Value value = softmax.Input(0)!;
        while (value.Producer != product.Node)
        {
            Node node = value.Producer!;
            if (Through(node) is ({ } source, var by))
            {
                factor *= by;
                value = source;
            }
            else if (node.OpType == "Add" && node.Input(0) is { } a && node.Input(1) is { } b)
            {
                bool first = LeadsToProduct(a);
                if (Add(first ? b : a, node.Output, factor) is { } why)
                    return (0, null, why);
                value = first ? a : b;
            }
            else
            {
                return (0, null, $"{node} stands before the Softmax");
            }
        }

        _scale = factor;
        if (Factor(product.Query.Reading) is not { } query || Factor(product.Key.Reading) is not { } key)
            return (0, null, "query or key have a factor that is no scalar");
        _scale *= query * key;
        if (_whole is not null && (_height ?? _width) is null)
            return (_scale, _whole, "");
        if (_height is null && _width is null && _whole is null)
            return (_scale, new NoPosition(), "");
        if (_height is null || _width is null || _whole is not null || _height.Factor != _width.Factor)
            return (0, null, "the terms for positions are not one for rows and one for columns");
        return (_scale, new DecomposedPosition(_height.Table, _width.Table, _height.Factor), "");
    }

    /// <summary>The product of the constant factors on a way, or null when one is no scalar.</summary>
    private static double? Factor(ChannelReading reading)
    {
        double factor = 1;
        foreach (Node node in reading.Path.Select(s => s.Node).Where(n => n.OpType is "Mul" or "Div"))
        {
            if (Through(node) is not { } step)
                return null;
            factor *= step.Factor;
        }

        return factor;
    }

    /// <summary>Takes a term that is added to the logits; says why it is not understood, or null.</summary>
    private string? Add(Value term, Value sum, double factor)
    {
        if (term.Constant is not null)
        {
            if (_whole is not null || sum.Shape is not { Rank: >= 2 } shape || shape[^1].Value != tokens || shape[^2].Value != tokens)
                return $"'{term.Name}' is no table of queries and keys";
            _whole = new BiasPosition(term, factor);
            return null;
        }

        Value source = BehindReshapes(term);
        if (source.Producer is { OpType: "MatMul", Domain: "" } matMul && matMul.Input(1) is { Constant: not null } basis)
            return AddFolded(matMul, basis, factor);
        if (Contraction(source) is not { } half || sum.Shape is not { Rank: >= 4 } map || term.Shape is not { } broadcast || broadcast.Rank != map.Rank)
            return $"'{term.Name}' is no relative position term";
        bool isHeight = broadcast[^1].Value == 1 && broadcast[^2] == map[^2];
        if (isHeight != half.IsHeight || (!isHeight && (broadcast[^2].Value != 1 || broadcast[^1] != map[^1])))
            return $"'{term.Name}' is not added along the axis of its table";
        if ((isHeight ? _height : _width) is not null)
            return "two terms for the same axis";
        var part = new Half(half.Table, factor * half.Factor);
        if (isHeight)
            _height = part;
        else
            _width = part;
        return null;
    }

    /// <summary>A product with a basis of the keys: columns of both axes side by side over a one-hot basis, or their sum over any other.</summary>
    private string? AddFolded(Node matMul, Value basis, double factor)
    {
        if (_whole is not null || _height is not null || _width is not null)
            return "several terms for positions";
        Node? columns = BehindReshapes(matMul.Input(0)!).Producer;
        if (columns is not { OpType: "Concat" or "Add", Inputs: [{ } a, { } b] } || Contraction(a) is not { IsHeight: true } height || Contraction(b) is not { IsHeight: false } width || height.Factor != width.Factor)
            return $"'{matMul.Output.Name}' is no product of relative position columns with a basis";
        factor *= height.Factor;
        if (columns.OpType == "Concat")
        {
            if (height.Table.Shape![1].Value is not { } rows || width.Table.Shape![1].Value is not { } cols || !basis.Constant!.ToArray<float>().AsSpan().SequenceEqual(RelativePosition.OneHot(rows, cols)))
                return $"'{basis.Name}' is no one-hot basis of rows and columns";
            _whole = new DecomposedPosition(height.Table, width.Table, factor) { IsFolded = true };
            return null;
        }

        _whole = new ProjectedPosition(height.Table, width.Table, basis, factor);
        return null;
    }

    /// <summary>An Einsum of the query, seen as a map, with a table for each of its rows or columns.</summary>
    private (Value Table, bool IsHeight, double Factor)? Contraction(Value value)
    {
        if (value.Producer is not { OpType: "Einsum", Inputs: [{ } query, { Shape: { Rank: 3, IsStatic: true } } table] } einsum || query.Shape is not { Rank: >= 4 } map || !constants.IsConstant(table))
            return null;
        if (map[^3].Value * map[^2].Value != tokens || ToQuery(query) is not { } factor)
            return null;
        string[] equation = einsum.GetString("equation", "").Replace(" ", "", StringComparison.Ordinal).Split("->");
        string[] terms = equation[0].Split(',');
        if (equation.Length != 2 || terms.Length != 2 || terms[0].Length != map.Rank || terms[1].Length != 3)
            return null;
        (string of, string by) = (terms[0], terms[1]);
        char channel = of[^1], place = by[0], column = by[1] == channel ? by[2] : by[1];
        if (!by.Contains(channel, StringComparison.Ordinal) || of.Contains(column, StringComparison.Ordinal) || equation[1] != of[..^1] + column)
            return null;
        return place == of[^3] ? (table, true, factor) : place == of[^2] ? (table, false, factor) : null;
    }

    /// <summary>The factor by which a reshaped query differs from the one that its Linear makes; null when it is another value.</summary>
    private double? ToQuery(Value value)
    {
        (Value source, double factor) = Origin(value);
        (Value query, _) = Origin(product.Node.Input(0)!);
        return source == query ? factor : null;
    }

    private static (Value Source, double Factor) Origin(Value value)
    {
        double factor = 1;
        while (value.Producer is { } node && Through(node) is ({ } source, var by))
        {
            factor *= by;
            value = source;
        }

        return (value, factor);
    }

    private bool LeadsToProduct(Value value)
    {
        Node? node = Origin(value).Source.Producer;
        return node == product.Node || (node is { OpType: "Add" } && (LeadsToProduct(node.Input(0)!) || LeadsToProduct(node.Input(1)!)));
    }

    private static Value BehindReshapes(Value value)
    {
        while (value.Producer is { } node && IsReshape(node))
            value = node.Input(0)!;
        return value;
    }

    private static bool IsReshape(Node node) => node.Domain.Length == 0 && node.OpType is "Reshape" or "Squeeze" or "Unsqueeze" or "Flatten" or "Identity";

    /// <summary>What a Reshape, or a Mul or Div by a scalar, is made of, and the factor; null for another node.</summary>
    private static (Value Source, double Factor)? Through(Node node)
    {
        if (IsReshape(node))
            return (node.Input(0)!, 1);
        if (node.OpType is not ("Mul" or "Div"))
            return null;
        for (int i = 1; i >= (node.OpType == "Div" ? 1 : 0); i--)
        {
            if (node.Input(i)?.Constant is { Count: 1 } constant && constant.ScalarOrNull() is { } scalar && scalar != 0)
                return (node.Input(1 - i)!, node.OpType == "Div" ? 1 / scalar : scalar);
        }

        return null;
    }
}
