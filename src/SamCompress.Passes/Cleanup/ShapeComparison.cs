using SamCompress.IR;

namespace SamCompress.Passes.Cleanup;

/// <summary>What rules about shapes ask.</summary>
internal static class ShapeComparison
{
    /// <summary>Whether two values have the same shape in every run: each dimension the same number or the same name.</summary>
    public static bool HasShapeOf(this Value a, Value b) =>
        a.Shape is { } x && b.Shape is { } y && x.Rank == y.Rank && x.Zip(y).All(d => d.First == d.Second && (d.First.Value ?? (object?)d.First.Parameter) is not null);

    /// <summary>The integers of a constant value, or null.</summary>
    public static long[]? Integers(this Value? value) =>
        value?.Constant is { Count: <= 1024, ElementType: ElementType.Int64 or ElementType.Int32 } tensor ? tensor.ToInt64s() : null;

    /// <summary>The permutation of a Transpose; without the attribute it reverses the axes.</summary>
    public static long[]? Permutation(this Node transpose) =>
        transpose.GetInts("perm") is { } perm ? [.. perm] : transpose.Inputs[0]?.Shape is { } shape ? [.. Enumerable.Range(0, shape.Rank).Reverse().Select(i => (long)i)] : null;

    /// <summary>Whether a LayerNormalization is over the last axis alone.</summary>
    public static bool NormalizesLastAxis(this Node normalization) =>
        normalization.GetInt("axis", -1) is var axis && (axis == -1 || axis == normalization.Input(0)?.Shape?.Rank - 1);

    /// <summary>The operand of Reshape that turns <paramref name="source"/> into <paramref name="shape"/>, with at most one dimension left open; null when there is none.</summary>
    public static long[]? ReshapeTarget(Value source, Shape shape)
    {
        var target = new long[shape.Rank];
        bool hasOpen = false;
        for (int i = 0; i < target.Length; i++)
        {
            if (shape[i].Value is { } number and not 0)
                target[i] = number;
            else if (shape[i].Parameter is { } name && source.Shape is { } from && i < from.Rank && from[i].Parameter == name)
                target[i] = 0;
            else if (shape[i].Value is null && !hasOpen)
                (target[i], hasOpen) = (-1, true);
            else
                return null;
        }

        return target;
    }
}
