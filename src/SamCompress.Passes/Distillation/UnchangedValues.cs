using SamCompress.IR;
using SamCompress.Passes.Cleanup;

namespace SamCompress.Passes.Distillation;

/// <summary>Finds what a rewrite left as it was.</summary>
public static class UnchangedValues
{
    /// <summary>
    /// The values of a student that are the teacher's for every picture: same name, made by the same operator with the same attributes of the same constants, and of
    /// values of which that is true.
    /// </summary>
    /// <param name="student">Cleaned up as the teacher is, constants folded in both; a rewrite keeps the names of values.</param>
    public static IReadOnlySet<string> Of(Model student, Model teacher)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        Dictionary<string, Node> wanted = teacher.Graph.Nodes.SelectMany(n => n.Outputs.OfType<Value>().Select(o => (o.Name, Node: n))).ToDictionary(o => o.Name, o => o.Node, StringComparer.Ordinal);
        HashSet<string> unchanged = [.. student.Graph.Inputs.Select(i => i.Name)];
        unchanged.IntersectWith(teacher.Graph.Inputs.Select(i => i.Name));
        foreach (Node node in student.Graph.Nodes)
        {
            if (node.Outputs.FirstOrDefault(o => o is not null) is { } output && wanted.TryGetValue(output.Name, out Node? other) && IsSame(node, other, unchanged))
                unchanged.UnionWith(node.Outputs.OfType<Value>().Select(o => o.Name));
        }

        return unchanged;
    }

    private static bool IsSame(Node node, Node other, HashSet<string> unchanged) =>
        node.Inputs.Count == other.Inputs.Count
        && node.Outputs.Select(o => o?.Name).SequenceEqual(other.Outputs.Select(o => o?.Name))
        && EliminateDuplicateNodes.OperatorOf(node) is { } text && text == EliminateDuplicateNodes.OperatorOf(other)
        && node.Inputs.Zip(other.Inputs).All(pair => IsSame(pair.First, pair.Second, unchanged));

    private static bool IsSame(Value? value, Value? other, HashSet<string> unchanged) => value?.Constant is { } constant && other?.Constant is { } wanted
        ? IsSame(constant, wanted)
        : value?.Name == other?.Name && (value is null || unchanged.Contains(value.Name));

    private static bool IsSame(Tensor tensor, Tensor other)
    {
        if (tensor.ElementType != other.ElementType || !tensor.Dimensions.SequenceEqual(other.Dimensions) || tensor.ByteLength != other.ByteLength)
            return false;
        using TensorLease mine = tensor.Open(), theirs = other.Open();
        return mine.Bytes.SequenceEqual(theirs.Bytes);
    }
}
