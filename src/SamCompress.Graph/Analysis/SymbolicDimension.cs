using System.Globalization;

namespace SamCompress.IR.Analysis;

/// <summary>
/// Arithmetic on dimensions that are numbers, names, or a name plus a number (<c>num_points + 6</c>).
/// What cannot be written like that becomes unknown.
/// </summary>
internal static class SymbolicDimension
{
    private const string Plus = " + ";
    private const string Minus = " - ";

    /// <summary>Marks names that stand for "unknown, but the same everywhere"; they never reach a file.</summary>
    private const char HiddenMark = '\u0001';

    public static Dimension Hidden(string valueName, int axis) =>
        Dimension.Of(string.Create(CultureInfo.InvariantCulture, $"{HiddenMark}{valueName}:{axis}"));

    public static bool IsHidden(this Dimension dimension) => dimension.Parameter is { } name && name[0] == HiddenMark;

    public static bool IsUnknown(this Dimension dimension) => dimension.Value is null && dimension.Parameter is null;

    /// <summary>The same number, or the same name.</summary>
    public static bool IsSameAs(this Dimension a, Dimension b) => !a.IsUnknown() && a == b;

    public static Dimension Add(Dimension a, Dimension b)
    {
        if (a.Value is { } x && b.Value is { } y)
            return TryCompute(() => checked(x + y));
        if (b.Value is { } addend)
            return AddTo(a, addend);
        if (a.Value is { } other)
            return AddTo(b, other);
        return Dimension.Unknown;
    }

    public static Dimension Subtract(Dimension a, Dimension b)
    {
        if (a.Value is { } x && b.Value is { } y)
            return TryCompute(() => checked(x - y));
        if (b.Value is { } subtrahend && subtrahend != long.MinValue)
            return AddTo(a, -subtrahend);
        if (a.Parameter is not null && b.Parameter is not null)
        {
            (string left, long leftAddend) = Split(a.Parameter);
            (string right, long rightAddend) = Split(b.Parameter);
            if (left == right)
                return leftAddend - rightAddend;
        }

        return Dimension.Unknown;
    }

    public static Dimension Multiply(Dimension a, Dimension b)
    {
        if (a.Value is { } x && b.Value is { } y)
            return TryCompute(() => checked(x * y));
        if (a.Value == 1)
            return b;
        if (b.Value == 1)
            return a;
        return a.Value == 0 || b.Value == 0 ? 0 : Dimension.Unknown;
    }

    public static Dimension TryCompute(Func<long> compute)
    {
        try
        {
            return compute();
        }
        catch (OverflowException)
        {
            return Dimension.Unknown;
        }
    }

    private static Dimension AddTo(Dimension dimension, long addend)
    {
        if (addend == 0 || dimension.Parameter is not { } parameter)
            return dimension;
        (string name, long before) = Split(parameter);
        return TryCompute(() => checked(before + addend)).Value is not { } sum
            ? Dimension.Unknown
            : Dimension.Of(sum switch
            {
                0 => name,
                > 0 => name + Plus + sum.ToString(CultureInfo.InvariantCulture),
                _ => name + Minus + sum.ToString(CultureInfo.InvariantCulture)[1..],
            });
    }

    private static (string Name, long Addend) Split(string parameter)
    {
        foreach ((string sign, int factor) in ((string, int)[])[(Plus, 1), (Minus, -1)])
        {
            int place = parameter.LastIndexOf(sign, StringComparison.Ordinal);
            if (place > 0 && long.TryParse(parameter.AsSpan(place + sign.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long addend))
                return (parameter[..place], factor * addend);
        }

        return (parameter, 0);
    }
}
