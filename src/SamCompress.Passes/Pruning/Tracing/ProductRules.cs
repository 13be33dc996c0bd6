using SamCompress.IR;

namespace SamCompress.Passes.Pruning.Tracing;

/// <summary>Operators that sum over channels: products, contractions and convolutions.</summary>
internal static class ProductRules
{
    public static bool Knows(Node node) => node.OpType is "MatMul" or "Gemm" or "Einsum" or "Conv" or "ConvTranspose";

    /// <returns>Why nothing that the node reads may be pruned, or null.</returns>
    public static string? Apply(ChannelTrace trace, Node node) => node.OpType switch
    {
        "MatMul" => MatMul(trace, node),
        "Gemm" => Gemm(trace, node),
        "Einsum" => Einsum(trace, node),
        "Conv" => Conv(trace, node),
        _ => ConvTranspose(trace, node),
    };

    private static string? MatMul(ChannelTrace trace, Node node)
    {
        int[]?[] left = trace.Axes(node, 0), right = trace.Axes(node, 1);
        if (left.Length < 2 || right.Length < 2)
            return "it multiplies a vector";
        Contract(trace, node, left[^1], right[^2]);
        int rank = Math.Max(left.Length, right.Length);
        var result = new int[]?[rank];
        long[] sizes = node.Output.Shape!.ToStatic()!;
        for (int axis = 0; axis < rank - 2; axis++)
        {
            int[]? a = Batch(left, node.Input(0)!, axis - rank, sizes[axis]), b = Batch(right, node.Input(1)!, axis - rank, sizes[axis]);
            bool both = IsWhole(node.Input(0)!, axis - rank, sizes[axis]) && IsWhole(node.Input(1)!, axis - rank, sizes[axis]);
            result[axis] = both ? trace.Labels.Union(a, b, $"{node} pairs it with an axis that stays as it is") : a ?? b;
        }

        (result[^2], result[^1]) = (left[^2], right[^1]);
        trace.Set(node.Output, result);
        return null;
    }

    private static bool IsWhole(Value value, int axisFromEnd, long size) => value.Shape!.Rank + axisFromEnd is >= 0 and var axis && value.Shape[axis].Value == size;

    private static int[]? Batch(int[]?[] axes, Value value, int axisFromEnd, long size) => IsWhole(value, axisFromEnd, size) ? axes[axes.Length + axisFromEnd] : null;

    /// <summary>Joins the axes that are summed over.</summary>
    private static void Contract(ChannelTrace trace, Node node, int[]? left, int[]? right)
    {
        int[]? joined = trace.Labels.Union(left, right, $"{node} sums it against an axis that stays as it is");
        if (!trace.IsConstant(node.Input(0)!) && !trace.IsConstant(node.Input(1)!))
            trace.Labels.Mark(joined, ChannelTraits.Contracted);
    }

    private static string? Gemm(ChannelTrace trace, Node node)
    {
        int[]?[] left = trace.Axes(node, 0), right = trace.Axes(node, 1);
        (int rows, int inner) = node.GetInt("transA", 0) != 0 ? (1, 0) : (0, 1);
        (int k, int columns) = node.GetInt("transB", 0) != 0 ? (1, 0) : (0, 1);
        Contract(trace, node, left[inner], right[k]);
        int[]?[] result = [left[rows], right[columns]];
        if (node.Input(2) is { } bias)
        {
            int[]?[] own = trace.Axes(node, 2);
            for (int axis = 0; axis < own.Length; axis++)
            {
                int at = axis + 2 - own.Length;
                if (bias.Shape![axis].Value == node.Output.Shape![at].Value)
                    result[at] = trace.Labels.Union(result[at], own[axis], $"{node} adds it to an axis that stays as it is");
            }
        }

        trace.Set(node.Output, result);
        return null;
    }

    private static string? Einsum(ChannelTrace trace, Node node)
    {
        string[] equation = node.GetString("equation", "").Replace(" ", "", StringComparison.Ordinal).Split("->");
        string[] terms = equation[0].Split(',');
        if (equation.Length != 2 || terms.Length != node.Inputs.Count || equation[0].Contains('.', StringComparison.Ordinal))
            return "the equation is not understood";
        var letters = new Dictionary<char, int[]?>();
        for (int i = 0; i < terms.Length; i++)
        {
            int[]?[] axes = trace.Axes(node, i);
            if (axes.Length != terms[i].Length)
                return "the equation is not understood";
            for (int axis = 0; axis < axes.Length; axis++)
                letters[terms[i][axis]] = letters.TryGetValue(terms[i][axis], out int[]? other) ? trace.Labels.Union(other, axes[axis], $"{node} pairs it with an axis that stays as it is") : axes[axis];
        }

        if (terms.Length > 1 && node.Inputs.All(v => !trace.IsConstant(v!)))
        {
            foreach ((char letter, int[]? axis) in letters)
            {
                if (!equation[1].Contains(letter, StringComparison.Ordinal))
                    trace.Labels.Mark(axis, ChannelTraits.Contracted);
            }
        }

        trace.Set(node.Output, [.. equation[1].Select(letter => letters[letter])]);
        return null;
    }

    /// <summary>With groups, the same places of all groups go together: a group that lost another number of channels could not be written.</summary>
    private static string? Conv(ChannelTrace trace, Node node)
    {
        int[]?[] map = trace.Axes(node, 0), weight = trace.Axes(node, 1);
        int channels = checked((int)node.Input(0)!.Shape![1].Value!.Value), outputs = checked((int)node.Input(1)!.Shape![0].Value!.Value);
        int groups = checked((int)node.GetInt("group", 1));
        if (groups > 1 && groups == channels)
        {
            if (outputs != channels)
                return "each channel becomes several";
            trace.Labels.Union(map[1], weight[0], $"{node} convolves an axis that stays as it is");
        }
        else if (groups == 1)
        {
            trace.Labels.Union(map[1], weight[1], $"{node} convolves an axis that stays as it is");
        }
        else
        {
            Tie(trace, map[1], groups);
            Tie(trace, weight[0], groups);
            trace.Labels.Union(map[1]?[..(channels / groups)], weight[1], $"{node} convolves an axis that stays as it is");
        }

        for (int axis = 2; axis < weight.Length; axis++)
            trace.Labels.Pin(weight[axis], "it is an axis of a kernel");
        SetMap(trace, node, map[0], weight[0]);
        return null;
    }

    private static string? ConvTranspose(ChannelTrace trace, Node node)
    {
        if (node.GetInt("group", 1) != 1)
            return "it has groups";
        int[]?[] map = trace.Axes(node, 0), weight = trace.Axes(node, 1);
        trace.Labels.Union(map[1], weight[0], $"{node} convolves an axis that stays as it is");
        for (int axis = 2; axis < weight.Length; axis++)
            trace.Labels.Pin(weight[axis], "it is an axis of a kernel");
        SetMap(trace, node, map[0], weight[1]);
        return null;
    }

    private static void SetMap(ChannelTrace trace, Node node, int[]? batch, int[]? channels)
    {
        if (node.Input(2) is not null)
            channels = trace.Labels.Union(channels, trace.Axes(node, 2)[0], $"{node} adds it to an axis that stays as it is");
        trace.Set(node.Output, [batch, channels, .. new int[]?[node.Output.Shape!.Rank - 2]]);
    }

    private static void Tie(ChannelTrace trace, int[]? axis, int groups)
    {
        int perGroup = (axis?.Length ?? 0) / groups;
        for (int i = perGroup; i < (axis?.Length ?? 0); i++)
            trace.Labels.Union(axis![i % perGroup], axis[i]);
    }
}
