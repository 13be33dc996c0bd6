using System.Globalization;
using System.Text;

namespace SamCompress.IR;

/// <summary>Text that may hold names from a model, made safe for a message, a terminal and a log.</summary>
public static class SafeText
{
    private const int LongestName = 100;
    private const int LongestLine = 1000;

    /// <summary>A name from a model: no control or formatting characters, at most 100 characters.</summary>
    public static string Of(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Cut(Strip(name), LongestName);
    }

    /// <summary>A message of one line, in which whatever stands between single quotes is treated as a name.</summary>
    public static string Line(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        string[] parts = Strip(message).Split('\'');
        for (int i = 1; i < parts.Length; i += 2)
            parts[i] = Cut(parts[i], LongestName);
        return Cut(string.Join('\'', parts), LongestLine);
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..(length - 3)] + "...";

    private static string Strip(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            UnicodeCategory category = char.GetUnicodeCategory(c);
            if (c is '\n' or '\t' or '\r' or '\u2028' or '\u2029')
                result.Append(' ');
            else if (category is not (UnicodeCategory.Control or UnicodeCategory.Format))
                result.Append(c);
        }

        return result.ToString();
    }
}
