using SamCompress.IR;

namespace SamCompress.Passes.Fusion;

/// <summary>The edit that <see cref="FlattenTokens"/> makes of one region.</summary>
/// <param name="inside">The nodes of the region.</param>
internal sealed class Flattening(Graph graph, HashSet<Node> inside)
{
    private readonly Dictionary<Tensor, Value> _constants = [];

    public void Apply(IReadOnlyList<(Node Node, IReadOnlyList<int> Data)> nodes)
    {
        foreach ((Node node, IReadOnlyList<int> data) in nodes)
        {
            foreach (int i in data)
                Enter(node, node.Input(i)!);
        }

        foreach ((Node node, _) in nodes)
            Leave(node);
        foreach ((Node node, IReadOnlyList<int> data) in nodes)
        {
            if (RowWiseOperators.IsReshape(node))
                Remove(node);
            else
                Flatten(node, data);
        }
    }

    /// <summary>Lets the nodes of the region read a matrix in place of what comes from outside.</summary>
    private void Enter(Node first, Value value)
    {
        if (value.Shape!.Rank == 2 || (value.Producer is { } producer && inside.Contains(producer)))
            return;
        Use[] uses = [.. value.Uses.Where(u => inside.Contains(u.Node))];
        Value flat = Reshape(first, value, value.Name + "_rows", FlatShape(value));
        foreach (Use use in uses)
            use.Node.ReplaceInput(use.InputIndex, flat);
    }

    /// <summary>Gives what is outside the shape that it knows.</summary>
    private void Leave(Node node)
    {
        Value value = node.Output;
        Use[] outside = [.. value.Uses.Where(u => !inside.Contains(u.Node))];
        if (value.Shape!.Rank == 2 || (outside.Length == 0 && !value.IsGraphOutput))
            return;
        Use[] within = [.. value.Uses.Where(u => inside.Contains(u.Node))];
        Value shaped = Reshape(node.Next, value, value.Name + "_shaped", value.Shape);
        foreach (Use use in outside)
            use.Node.ReplaceInput(use.InputIndex, shaped);
        if (!value.IsGraphOutput)
            return;
        graph.Substitute(value, shaped);
        shaped.Producer!.ReplaceInput(0, value);
        foreach (Use use in within)
            use.Node.ReplaceInput(use.InputIndex, value);
    }

    private void Flatten(Node node, IReadOnlyList<int> data)
    {
        Value output = node.Output;
        long rows = RowWiseOperators.RowsOf(output)!.Value, width = RowWiseOperators.WidthOf(output);
        for (int i = 0; i < node.Inputs.Count; i++)
        {
            if (!data.Contains(i) && node.OpType != "MatMul" && node.Input(i)?.Constant is { Rank: > 1 } constant)
                node.ReplaceInput(i, Flat(node.Input(i)!, constant, RowWiseOperators.Flat(constant, rows, width)!));
        }

        if (node.GetInt("axis", -1) != -1)
            node.SetAttribute(NodeAttribute.Of("axis", -1L));
        output.Shape = FlatShape(output);
    }

    /// <summary>A Reshape between values of the same rows has no work left: both are the same matrix.</summary>
    private void Remove(Node reshape)
    {
        reshape.Output.ReplaceUsesWith(reshape.Input(0)!);
        graph.Remove(reshape);
    }

    private Value Flat(Value value, Tensor constant, long[] dimensions)
    {
        if (constant.Dimensions.AsSpan().SequenceEqual(dimensions))
            return value;
        if (!_constants.TryGetValue(constant, out Value? flat))
        {
            var tensor = Tensor.Lazy(constant.ElementType, dimensions, bytes =>
            {
                using TensorLease lease = constant.Open();
                lease.Bytes.CopyTo(bytes);
            });
            _constants.Add(constant, flat = graph.AddInitializer(graph.FreshName(value.Name + "_rows"), tensor));
        }

        return flat;
    }

    private Value Reshape(Node? position, Value value, string name, Shape shape)
    {
        Value target = graph.AddInitializer(graph.FreshName(name + "_shape"), Tensor.Vector(shape.ToStatic()!));
        Value result = graph.InsertBefore(position, "Reshape", [value, target], [graph.FreshName(name)]).Output;
        result.ElementType = value.ElementType;
        result.Shape = shape;
        return result;
    }

    private static Shape FlatShape(Value value) => Shape.Of(RowWiseOperators.RowsOf(value)!.Value, RowWiseOperators.WidthOf(value));
}
