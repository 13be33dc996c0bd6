namespace SamCompress.IR;

/// <summary>Text that a model chose, made fit for a message.</summary>
public static class SafeText
{
    private const int MaxLength = 100;

    /// <summary>Without control characters, and at most 100 characters long.</summary>
    public static string Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string cut = text.Length <= MaxLength ? text : text[..(MaxLength - 3)] + "...";
        return cut.Any(char.IsControl) ? string.Concat(cut.Select(c => char.IsControl(c) ? '?' : c)) : cut;
    }
}
