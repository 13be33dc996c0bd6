using System.IO.Enumeration;
using System.Text.RegularExpressions;

namespace SamCompress.Passes.Quantization;

/// <summary>
/// Which layers to quantize. Names are exact, globs with * and ?, or regular expressions after <c>re:</c>. What includes nothing includes all;
/// what is excluded stays float. An entry that matches nothing is an error, and so is a layer named by an include and an exclude of the same kind.
/// </summary>
public sealed record NodeSelection
{
    public static NodeSelection All { get; } = new();

    public IReadOnlyList<string> NodesToQuantize { get; init; } = [];

    public IReadOnlyList<string> NodesToExclude { get; init; } = [];

    public IReadOnlyList<string> OpTypesToQuantize { get; init; } = [];

    public IReadOnlyList<string> OpTypesToExclude { get; init; } = [];

    /// <summary>For each layer why it is left out, or null when it is not.</summary>
    /// <exception cref="SamCompressException">An entry matches nothing, or contradicts another.</exception>
    public IReadOnlyList<string?> Select(IReadOnlyList<QuantizableLayer> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        string[] names = [.. layers.Select(l => l.Name)];
        string[] opTypes = [.. layers.Select(l => l.Node.OpType)];
        string?[] included = Match("nodes-to-quantize", NodesToQuantize, names);
        string?[] excluded = Match("nodes-to-exclude", NodesToExclude, names);
        string?[] includedTypes = Match("op-types-to-quantize", OpTypesToQuantize, opTypes);
        string?[] excludedTypes = Match("op-types-to-exclude", OpTypesToExclude, opTypes);
        var reasons = new string?[layers.Count];
        for (int i = 0; i < reasons.Length; i++)
        {
            if (included[i] is { } yes && excluded[i] is { } no)
                throw Usage($"'{names[i]}' is named by --nodes-to-quantize '{yes}' and by --nodes-to-exclude '{no}'", null);
            if (includedTypes[i] is not null && excludedTypes[i] is not null)
                throw Usage($"op type {opTypes[i]} is to be quantized and to be excluded", null);
            reasons[i] = excluded[i] is { } pattern ? $"excluded by '{pattern}'"
                : excludedTypes[i] is { } type ? $"op type {type} is excluded"
                : NodesToQuantize.Count > 0 && included[i] is null ? "not among the nodes to quantize"
                : OpTypesToQuantize.Count > 0 && includedTypes[i] is null ? "not among the op types to quantize"
                : null;
        }

        return reasons;
    }

    /// <summary>The known names with the fewest edits to get to them, best first.</summary>
    internal static IReadOnlyList<string> Nearest(string wanted, IEnumerable<string> known) =>
        [.. known.Distinct().OrderBy(k => EditDistance(wanted, k)).ThenBy(k => k, StringComparer.Ordinal).Take(3)];

    private static string?[] Match(string option, IReadOnlyList<string> patterns, string[] names)
    {
        var result = new string?[names.Length];
        foreach (string pattern in patterns)
        {
            Predicate<string> matches = Compile(option, pattern);
            bool any = false;
            for (int i = 0; i < names.Length; i++)
            {
                if (!matches(names[i]))
                    continue;
                any = true;
                result[i] ??= pattern;
            }

            if (!any)
                throw Usage($"--{option} '{pattern}' matches no layer", names.Length == 0 ? null : $"near names: {string.Join(", ", Nearest(pattern, names))}");
        }

        return result;
    }

    private static Predicate<string> Compile(string option, string pattern)
    {
        if (!pattern.StartsWith("re:", StringComparison.Ordinal))
        {
            return pattern.AsSpan().IndexOfAny('*', '?') < 0
                ? name => name == pattern
                : name => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);
        }

        try
        {
            var regex = new Regex(pattern[3..], RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
            return regex.IsMatch;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw Usage($"--{option} '{pattern}' is no regular expression: {e.Message.ReplaceLineEndings(" ")}", null);
        }
    }

    private static SamCompressException Usage(string message, string? hint) => new(FailureKind.Usage, message, hint);

    private static int EditDistance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitution, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
