using System.Collections;

namespace SamCompress.IR;

/// <summary>One dimension of a shape: a number, a named parameter, or unknown.</summary>
public readonly record struct Dimension
{
    private Dimension(long? value, string? parameter)
    {
        Value = value;
        Parameter = parameter;
    }

    public static Dimension Unknown => default;

    /// <summary>The number of elements along the dimension, or null.</summary>
    public long? Value { get; }

    /// <summary>The symbolic name, or null.</summary>
    public string? Parameter { get; }

    public static Dimension Of(long value) => new(value, null);

    public static Dimension Of(string parameter) => new(null, parameter);

    public static implicit operator Dimension(long value) => Of(value);

    public override string ToString() => Value?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? Parameter ?? "?";
}

/// <summary>The shape of a value of known rank. A value of unknown rank has no shape (null). Compared by content.</summary>
public sealed class Shape : IReadOnlyList<Dimension>, IEquatable<Shape>
{
    private readonly Dimension[] _dimensions;

    public Shape(params IEnumerable<Dimension> dimensions) => _dimensions = [.. dimensions];

    public static Shape Scalar { get; } = new();

    public static Shape Of(params ReadOnlySpan<long> dimensions)
    {
        var result = new Dimension[dimensions.Length];
        for (int i = 0; i < result.Length; i++)
            result[i] = Dimension.Of(dimensions[i]);
        return new Shape(result);
    }

    public int Rank => _dimensions.Length;

    int IReadOnlyCollection<Dimension>.Count => _dimensions.Length;

    public Dimension this[int index] => _dimensions[index];

    public Dimension this[Index index] => _dimensions[index];

    /// <summary>Whether every dimension is a number.</summary>
    public bool IsStatic => Array.TrueForAll(_dimensions, d => d.Value is not null);

    /// <summary>The dimensions as numbers, or null when one is not known.</summary>
    public long[]? ToStatic() => IsStatic ? Array.ConvertAll(_dimensions, d => d.Value!.Value) : null;

    /// <summary>The number of elements, or null when a dimension is not known.</summary>
    /// <exception cref="OverflowException">More than 2^63 - 1 elements.</exception>
    public long? ElementCount
    {
        get
        {
            long count = 1;
            foreach (Dimension d in _dimensions)
            {
                if (d.Value is not { } value)
                    return null;
                count = checked(count * value);
            }

            return count;
        }
    }

    public IEnumerator<Dimension> GetEnumerator() => ((IEnumerable<Dimension>)_dimensions).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(Shape? other) => other is not null && _dimensions.AsSpan().SequenceEqual(other._dimensions);

    public override bool Equals(object? obj) => Equals(obj as Shape);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (Dimension d in _dimensions)
            hash.Add(d);
        return hash.ToHashCode();
    }

    /// <summary>For example <c>[1,3,H,?]</c>.</summary>
    public override string ToString() => $"[{string.Join(',', _dimensions)}]";
}
