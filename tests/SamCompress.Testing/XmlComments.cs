using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace SamCompress.Testing;

/// <summary>The comments of an assembly, as the compiler writes them beside it.</summary>
public static partial class XmlComments
{
    /// <summary>By the names that the compiler gives to members.</summary>
    public static IReadOnlyDictionary<string, XElement> Of(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        return XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member").ToDictionary(m => m.Attribute("name")!.Value, StringComparer.Ordinal);
    }

    /// <summary>The text of an element as Markdown.</summary>
    public static string Text(XElement element)
    {
        ArgumentNullException.ThrowIfNull(element);
        var text = new StringBuilder();
        foreach (XNode node in element.Nodes())
        {
            text.Append(node switch
            {
                XText words => Whitespace().Replace(words.Value, " "),
                XElement { Name.LocalName: "see" } see => $"`{see.Attribute("cref")!.Value.Split('.')[^1]}`",
                XElement { Name.LocalName: "code" } code => $"\n\n```text\n{Dedented(code.Value)}\n```\n\n",
                XElement inner => $"`{inner.Value}`",
                _ => "",
            });
        }

        return text.ToString().Replace(" \n", "\n", StringComparison.Ordinal).Replace("```\n\n ", "```\n\n", StringComparison.Ordinal).Trim();
    }

    private static string Dedented(string code)
    {
        string[] lines = code.Trim('\n').TrimEnd().Split('\n');
        int indent = lines.Where(l => l.Trim().Length > 0).Min(l => l.Length - l.TrimStart().Length);
        return string.Join('\n', lines.Select(l => l.Length < indent ? "" : l[indent..]));
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();
}
