using SamCompress.IR;

namespace SamCompress.Passes.Pruning.Tracing;

/// <summary>Operators whose output has an axis for each axis of the input, and treats positions of the channels alike: arithmetic, activations, normalizations and reductions.</summary>
internal static class PointwiseRules
{
    private static readonly HashSet<string> Elementwise =
    [
        "Abs", "Add", "Cast", "Clip", "Cos", "Div", "Dropout", "Elu", "Equal", "Erf", "Exp", "Floor", "Gelu", "Greater", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Less", "Log",
        "Max", "Min", "Mish", "Mul", "Neg", "Not", "Pow", "Reciprocal", "Relu", "Sigmoid", "Sin", "Softplus", "Sqrt", "Sub", "Tanh", "Where",
    ];

    private static readonly HashSet<string> Contributed = ["Gelu", "FastGelu", "QuickGelu", "BiasGelu"];

    private static readonly HashSet<string> Others =
    [
        "LayerNormalization", "BatchNormalization", "InstanceNormalization", "Softmax", "LogSoftmax", "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2",
        "GlobalAveragePool", "AveragePool", "MaxPool",
    ];

    public static bool Knows(Node node) => node.Domain switch
    {
        OperatorDomain.Onnx => Elementwise.Contains(node.OpType) || Others.Contains(node.OpType),
        OperatorDomain.Microsoft => Contributed.Contains(node.OpType),
        _ => false,
    };

    /// <returns>Why nothing that the node reads may be pruned, or null.</returns>
    public static string? Apply(ChannelTrace trace, Node node)
    {
        if (node.Outputs.Skip(1).Any(o => o is { IsUsed: true }))
            return "more than its first output is used";
        switch (node.OpType)
        {
            case "LayerNormalization":
                return Normalize(trace, node);
            case "BatchNormalization" or "InstanceNormalization":
                return Scale(trace, node, [.. trace.Axes(node, 0)]);
            case "Softmax" or "LogSoftmax":
                return Along(trace, node, node.GetInt("axis", -1));
            case "GlobalAveragePool" or "AveragePool" or "MaxPool":
                int[]?[] map = trace.Axes(node, 0);
                trace.Set(node.Output, [map[0], map[1], .. new int[]?[map.Length - 2]]);
                return null;
            default:
                return node.OpType.StartsWith("Reduce", StringComparison.Ordinal) ? Reduce(trace, node) : Broadcast(trace, node);
        }
    }

    private static string? Broadcast(ChannelTrace trace, Node node)
    {
        long[] result = node.Output.Shape!.ToStatic()!;
        var axes = new int[]?[result.Length];
        var isSet = new bool[result.Length];
        int activations = 0;
        for (int i = 0; i < node.Inputs.Count; i++)
        {
            if (node.Input(i) is not { } input)
                continue;
            activations += trace.IsConstant(input) ? 0 : 1;
            int[]?[] own = trace.Axes(node, i);
            for (int axis = 0, at = result.Length - own.Length; axis < own.Length; axis++, at++)
            {
                if (input.Shape![axis].Value != result[at])
                    continue;
                axes[at] = isSet[at] ? trace.Labels.Union(axes[at], own[axis], $"{node} adds it to an axis that stays as it is") : own[axis];
                isSet[at] = true;
            }
        }

        if (node.OpType == "Add" && activations > 1)
        {
            foreach (int[]? axis in axes)
                trace.Labels.Mark(axis, ChannelTraits.Residual);
        }

        trace.Set(node.Output, axes);
        return null;
    }

    private static string? Normalize(ChannelTrace trace, Node node)
    {
        int[]?[] axes = [.. trace.Axes(node, 0)];
        long axis = node.GetInt("axis", -1);
        if (axis != -1 && axis != axes.Length - 1)
            return "it normalizes over more than the last axis";
        trace.Labels.Mark(axes[^1], ChannelTraits.Normalized);
        for (int i = 1; i < node.Inputs.Count; i++)
        {
            if (node.Input(i) is { Shape.Rank: > 0 })
                axes[^1] = trace.Labels.Union(axes[^1], trace.Axes(node, i)[^1], $"{node} normalizes an axis that stays as it is");
        }

        trace.Set(node.Output, axes);
        return null;
    }

    private static string? Scale(ChannelTrace trace, Node node, int[]?[] axes)
    {
        for (int i = 1; i < node.Inputs.Count; i++)
            axes[1] = trace.Labels.Union(axes[1], trace.Axes(node, i)[0], $"{node} normalizes an axis that stays as it is");
        trace.Set(node.Output, axes);
        return null;
    }

    private static string? Along(ChannelTrace trace, Node node, long along)
    {
        int[]?[] axes = [.. trace.Axes(node, 0)];
        int axis = (int)(along < 0 ? along + axes.Length : along);
        trace.Labels.Pin(axes[axis], $"{node} runs along it");
        trace.Set(node.Output, axes);
        return null;
    }

    private static string? Reduce(ChannelTrace trace, Node node)
    {
        int[]?[] axes = trace.Axes(node, 0);
        long[]? given = node.Input(1) is { } input ? Cleanup.ShapeComparison.Integers(input) : node.GetInts("axes")?.ToArray();
        if (given is null)
            return "it reduces axes that are not known";
        HashSet<long> reduced = [.. given.Select(a => a < 0 ? a + axes.Length : a)];
        bool keeps = node.GetInt("keepdims", 1) != 0;
        var result = new List<int[]?>();
        for (int axis = 0; axis < axes.Length; axis++)
        {
            if (!reduced.Contains(axis))
                result.Add(axes[axis]);
            else if (keeps)
                result.Add(null);
            if (reduced.Contains(axis))
                trace.Labels.Pin(axes[axis], $"{node} reduces it");
        }

        trace.Set(node.Output, [.. result]);
        return null;
    }
}
