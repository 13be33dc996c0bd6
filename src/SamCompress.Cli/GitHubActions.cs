using System.Text;
using System.Text.RegularExpressions;

namespace SamCompress.Cli;

/// <summary>
/// What a step of a GitHub Actions workflow is told besides the usual output: errors as annotations of files, and reports in the summary of the step.
/// See docs.github.com, "Workflow commands for GitHub Actions".
/// </summary>
/// <param name="summaryPath">The file whose Markdown GitHub shows; null when there is none.</param>
internal sealed partial class GitHubActions(string? summaryPath)
{
    /// <summary>GitHub drops a summary that is larger.</summary>
    public const int MostSummaryBytes = 1 << 20;

    private const string Cut = "\n\n*The report is longer than a summary may be, and is cut here; its file has all of it.*\n";

    /// <summary>Reads <c>GITHUB_ACTIONS</c> and <c>GITHUB_STEP_SUMMARY</c>.</summary>
    /// <returns>Null when this is no step of a workflow.</returns>
    public static GitHubActions? Of(Func<string, string?> variable) =>
        variable("GITHUB_ACTIONS") == "true" ? new GitHubActions(variable("GITHUB_STEP_SUMMARY") is { Length: > 0 } path ? path : null) : null;

    /// <summary>The command that shows an error at a file.</summary>
    /// <param name="location">A file, with a node or with line and column in parentheses; null for none.</param>
    public static string Error(string? location, string message)
    {
        if (location is null)
            return $"::error::{EscapeData(message)}";
        Match place = Place().Match(location);
        string line = place.Groups["line"].Success ? $",line={place.Groups["line"].Value},col={place.Groups["column"].Value}" : "";
        return $"::error file={EscapeProperty(place.Groups["file"].Value)}{line}::{EscapeData(message)}";
    }

    /// <summary>Appends a report to the summary, cut where it would be too large.</summary>
    /// <returns>What went wrong, for a warning, or null.</returns>
    public string? AppendSummary(string markdown)
    {
        if (summaryPath is null)
            return null;
        try
        {
            using var file = new FileStream(summaryPath, FileMode.Append, FileAccess.Write);
            long room = MostSummaryBytes - file.Length;
            byte[] bytes = Fitting(markdown, room);
            file.Write(bytes);
            return bytes.Length == 0 ? "the summary of the step is full; the report is not in it" : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return $"the report cannot be added to the summary of the step: {e.Message}";
        }
    }

    /// <summary>The whole text, or as many of its lines as leave room for a note; empty when not even that fits.</summary>
    private static byte[] Fitting(string markdown, long room)
    {
        byte[] whole = Encoding.UTF8.GetBytes(markdown.TrimEnd('\n') + "\n\n");
        if (whole.Length <= room)
            return whole;
        byte[] note = Encoding.UTF8.GetBytes(Cut);
        int left = (int)Math.Max(0, room - note.Length);
        int end = whole.AsSpan(0, Math.Min(left, whole.Length)).LastIndexOf((byte)'\n');
        return end <= 0 ? [] : [.. whole.AsSpan(0, end), .. note];
    }

    private static string EscapeData(string text) =>
        text.Replace("%", "%25", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);

    private static string EscapeProperty(string text) => EscapeData(text).Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal);

    [GeneratedRegex(@"^(?<file>.*?)(\((?<line>\d+),(?<column>\d+)\)|\([^()]*\))?$", RegexOptions.Singleline)]
    private static partial Regex Place();
}
