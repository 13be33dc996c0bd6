using System.CommandLine;
using System.CommandLine.Parsing;
using SamCompress.IR;

namespace SamCompress.Cli.Rendering;

/// <summary>Writes a failure as one line that build tools recognize, and one hint; as a JSON object when the result was to be JSON.</summary>
internal sealed class ErrorRenderer(CommandContext context, bool json)
{
    public int Usage(ParseResult result)
    {
        string? unknown = result.UnmatchedTokens is [var first, ..] ? first : null;
        ParseError error = result.Errors.FirstOrDefault(e => e.SymbolResult is not (null or CommandResult))
            ?? result.Errors.FirstOrDefault(e => unknown is not null && e.Message.Contains(unknown, StringComparison.Ordinal))
            ?? result.Errors[0];
        string command = result.CommandResult.Command is RootCommand ? "" : result.CommandResult.Command.Name + " ";
        string hint = Suggestion(result) is { } name ? $"did you mean {name}?" : $"'samcompress {command}--help' lists what can be given.";
        return Write("SC2000", (int)FailureKind.Usage, null, error.Message, hint);
    }

    public int Failure(Exception exception)
    {
        switch (exception)
        {
            case SamCompressException e:
                return Write($"SC{(int)e.Kind}000", (int)e.Kind, e.Location, e.Message, e.Hint);
            case OperationCanceledException:
                return Write("SC1300", ExitCodes.Interrupted, null, "interrupted; nothing was left behind", null);
            case OutOfMemoryException:
                long allowed = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
                return Write("SC6000", (int)FailureKind.Runtime, null, $"out of memory: the process may take {Quantity.Bytes(allowed)}", "use --max-memory, --threads 1, or fewer --samples.");
            case FileNotFoundException { FileName: null }:
                return Write("SC5000", (int)FailureKind.Output, null, "the current directory is gone", "go to one that exists, or give absolute paths.");
            case UnauthorizedAccessException or IOException:
                return Write("SC5000", (int)FailureKind.Output, null, exception.Message, null);
            default:
                context.Error.WriteLine(exception);
                return Write("SC7000", ExitCodes.Bug, null, $"bug in samcompress {CommandLine.Version}: {exception.Message}", "please report this with the trace above.");
        }
    }

    private int Write(string id, int exitCode, string? location, string message, string? hint)
    {
        message = SafeText.Line(message);
        location = location is null ? null : SafeText.Line(location);
        if (location is not null && message.StartsWith(location + ": ", StringComparison.Ordinal))
            message = message[(location.Length + 2)..];
        context.Error.WriteLine($"{location ?? "samcompress"}: error {id}: {message}");
        if (context.GitHub is not null)
            context.Error.WriteLine(GitHubActions.Error(location, $"{id}: {message}"));
        if (hint is not null)
            context.Error.WriteLine($"hint: {SafeText.Line(hint)}");
        if (json)
            WriteJson(new { SchemaVersion = 1, Error = new { Code = id, ExitCode = exitCode, Location = location, Message = message, Hint = hint } });
        return exitCode;
    }

    /// <summary>Standard output may be closed or full, and that may be the very error: it then stands on standard error only.</summary>
    private void WriteJson(object error)
    {
        try
        {
            context.Out.WriteLine(JsonText.Serialize(error));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            context.Error.WriteLine($"hint: the error could not be written to standard output: {SafeText.Line(e.Message)}");
        }
    }

    /// <summary>The command or option that the first unknown word is nearest to, or null when none is near.</summary>
    private static string? Suggestion(ParseResult result)
    {
        if (result.UnmatchedTokens.Count == 0)
            return null;
        string word = result.UnmatchedTokens[0];
        Command command = result.CommandResult.Command;
        IEnumerable<Symbol> symbols = word.StartsWith('-') ? command.Options.Concat(result.RootCommandResult.Command.Options) : command.Subcommands;
        return symbols
            .Where(s => !s.Hidden)
            .Select(s => (s.Name, Distance: Distance(word, s.Name)))
            .Where(s => s.Distance <= Math.Max(1, s.Name.Length / 3))
            .OrderBy(s => s.Distance)
            .Select(s => s.Name)
            .FirstOrDefault();
    }

    /// <summary>How many characters must be added, removed or replaced to make one word the other (Levenshtein 1965).</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[b.Length];
    }
}
