using System.Collections.Frozen;
using System.Globalization;

namespace SamCompress.IR.Analysis;

/// <summary>What an operator says of one of its attributes.</summary>
public sealed record AttributeSchema(string Name, AttributeKind Kind, bool IsRequired);

/// <summary>One version of a standard operator.</summary>
/// <param name="SinceVersion">The opset version that introduced this version; it holds until the next one.</param>
/// <param name="IsDeprecated">The operator may not be used any more; then nothing else is known of it.</param>
/// <param name="MaxInputs"><see cref="int.MaxValue"/> for any number.</param>
/// <param name="MaxOutputs"><see cref="int.MaxValue"/> for any number.</param>
public sealed record OperatorSchema(
    string Domain,
    string Name,
    int SinceVersion,
    bool IsDeprecated,
    int MinInputs,
    int MaxInputs,
    int MinOutputs,
    int MaxOutputs,
    IReadOnlyList<AttributeSchema> Attributes)
{
    /// <summary>Places under the minimum that may be left out all the same.</summary>
    internal IReadOnlyList<int> OptionalInputs { get; init; } = [];

    internal IReadOnlyList<int> OptionalOutputs { get; init; } = [];

    public AttributeSchema? Attribute(string name)
    {
        foreach (AttributeSchema attribute in Attributes)
        {
            if (attribute.Name == name)
                return attribute;
        }

        return null;
    }

    public bool IsInputRequired(int index) => IsRequired(index, MinInputs, MaxInputs, OptionalInputs);

    public bool IsOutputRequired(int index) => IsRequired(index, MinOutputs, MaxOutputs, OptionalOutputs);

    /// <summary>The last place under the minimum of an operator with any number of them is the first of that number, and may be left out.</summary>
    private static bool IsRequired(int index, int minimum, int maximum, IReadOnlyList<int> optional) =>
        index < (maximum == int.MaxValue ? minimum - 1 : minimum) && !optional.Contains(index);
}

/// <summary>Every version of every operator of the standard domains, from the embedded <c>operators.txt</c>.</summary>
public static class OperatorSchemas
{
    private static readonly Lazy<Table> Standard = new(Load);

    /// <summary>The version of an operator that an opset holds.</summary>
    /// <param name="domain">Normalized: empty for the standard operators.</param>
    /// <returns>Null when the operator is not in that opset, or the domain is not standard. Opsets over the newest known one count as that one.</returns>
    public static OperatorSchema? Find(string domain, string opType, long opset)
    {
        if (!Standard.Value.Operators.TryGetValue((domain, opType), out OperatorSchema[]? versions))
            return null;
        for (int i = versions.Length - 1; i >= 0; i--)
        {
            if (versions[i].SinceVersion <= opset)
                return versions[i];
        }

        return null;
    }

    /// <summary>The newest opset of a standard domain that is known here, or null for any other domain.</summary>
    public static int? NewestOpset(string domain) => Standard.Value.Domains.TryGetValue(domain, out int version) ? version : null;

    private static Table Load()
    {
        var domains = new Dictionary<string, int>(StringComparer.Ordinal);
        var operators = new Dictionary<(string, string), List<OperatorSchema>>();
        using Stream stream = typeof(OperatorSchemas).Assembly.GetManifestResourceStream("SamCompress.IR.Analysis.operators.txt")
            ?? throw new InvariantException("the table of operators is not embedded");
        using var reader = new StreamReader(stream);
        string domain = "";
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
                continue;
            string[] fields = line.Split(' ');
            if (fields[0] == "domain")
            {
                domain = OperatorDomain.Normalize(fields[1]);
                domains.Add(domain, Number(fields[2]));
                continue;
            }

            OperatorSchema schema = Parse(domain, fields);
            if (!operators.TryGetValue((domain, schema.Name), out List<OperatorSchema>? versions))
                operators.Add((domain, schema.Name), versions = []);
            versions.Add(schema);
        }

        return new Table(domains.ToFrozenDictionary(StringComparer.Ordinal), operators.ToFrozenDictionary(p => p.Key, p => p.Value.ToArray()));
    }

    private static OperatorSchema Parse(string domain, string[] fields)
    {
        int since = Number(fields[1]);
        if (fields[2] == "deprecated")
            return new OperatorSchema(domain, fields[0], since, IsDeprecated: true, 0, int.MaxValue, 0, int.MaxValue, []);
        (int minInputs, int maxInputs, int[] optionalInputs) = Counts(fields[2]);
        (int minOutputs, int maxOutputs, int[] optionalOutputs) = Counts(fields[3]);
        return new OperatorSchema(domain, fields[0], since, IsDeprecated: false, minInputs, maxInputs, minOutputs, maxOutputs, [.. fields[4..].Select(Attribute)])
        {
            OptionalInputs = optionalInputs,
            OptionalOutputs = optionalOutputs,
        };
    }

    private static AttributeSchema Attribute(string field)
    {
        string[] parts = field.Split(':');
        AttributeKind kind = Enum.Parse<AttributeKind>(parts[1].Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
        return new AttributeSchema(parts[0].TrimEnd('!'), kind, parts[0].EndsWith('!'));
    }

    private static (int Minimum, int Maximum, int[] Optional) Counts(string field)
    {
        string[] parts = field.Split('?');
        string[] range = parts[0].Split('-');
        int minimum = Number(range[0]);
        int maximum = range.Length == 1 ? minimum : range[1] == "*" ? int.MaxValue : Number(range[1]);
        return (minimum, maximum, Array.ConvertAll(parts[1..], Number));
    }

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private sealed record Table(FrozenDictionary<string, int> Domains, FrozenDictionary<(string Domain, string OpType), OperatorSchema[]> Operators);
}
