using SamCompress.IR.Serialization;

namespace SamCompress.IR.Analysis;

/// <summary>An attribute has one value, and it is of the kind that the attribute says.</summary>
internal static class AttributeRules
{
    /// <returns>What is wrong, to go behind the name of the attribute, or null.</returns>
    public static string? Problem(NodeAttribute attribute, long irVersion)
    {
        if (attribute.Kind == AttributeKind.Undefined)
            return irVersion >= 2 ? "has no kind" : Count(attribute) > 1 ? "has more than one value" : null;
        if (attribute.Kind is < AttributeKind.Undefined or > AttributeKind.TypeProtos)
            return $"is of the unknown kind {(int)attribute.Kind}";
        int count = Count(attribute);
        if (count > 1)
            return "has more than one value";
        return count == 1 && !HasValueOf(attribute, attribute.Kind) ? $"is of kind {attribute.Kind}, but its value is not" : null;
    }

    public static bool HasValue(NodeAttribute attribute) => Count(attribute) > 0;

    /// <summary>Whether a kind that has no default value has none here either.</summary>
    public static bool IsMissingValue(NodeAttribute attribute) =>
        attribute.Kind is AttributeKind.Tensor or AttributeKind.Graph or AttributeKind.SparseTensor or AttributeKind.TypeProto
        && !HasValueOf(attribute, attribute.Kind);

    private static int Count(NodeAttribute attribute)
    {
        AttributeProto shell = attribute.Shell;
        int count = shell.HasF ? 1 : 0;
        count += shell.HasI ? 1 : 0;
        count += shell.HasS ? 1 : 0;
        count += attribute.Tensors.Count > 0 ? 1 : 0;
        count += attribute.Graphs.Count > 0 ? 1 : 0;
        count += shell.Tp is not null ? 1 : 0;
        count += shell.SparseTensor is not null ? 1 : 0;
        count += shell.Floats.Count > 0 ? 1 : 0;
        count += shell.Ints.Count > 0 ? 1 : 0;
        count += shell.Strings.Count > 0 ? 1 : 0;
        count += shell.SparseTensors.Count > 0 ? 1 : 0;
        return count + (shell.TypeProtos.Count > 0 ? 1 : 0);
    }

    private static bool HasValueOf(NodeAttribute attribute, AttributeKind kind) => kind switch
    {
        AttributeKind.Float => attribute.Shell.HasF,
        AttributeKind.Int => attribute.Shell.HasI,
        AttributeKind.String => attribute.Shell.HasS,
        AttributeKind.Tensor => attribute.Tensors.Count == 1,
        AttributeKind.Graph => attribute.Graphs.Count == 1,
        AttributeKind.SparseTensor => attribute.Shell.SparseTensor is not null,
        AttributeKind.TypeProto => attribute.Shell.Tp is not null,
        AttributeKind.Floats => attribute.Shell.Floats.Count > 0,
        AttributeKind.Ints => attribute.Shell.Ints.Count > 0,
        AttributeKind.Strings => attribute.Shell.Strings.Count > 0,
        AttributeKind.Tensors => attribute.Tensors.Count > 0,
        AttributeKind.Graphs => attribute.Graphs.Count > 0,
        AttributeKind.SparseTensors => attribute.Shell.SparseTensors.Count > 0,
        AttributeKind.TypeProtos => attribute.Shell.TypeProtos.Count > 0,
        _ => false,
    };
}
