using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;
using SamCompress.IR;

namespace SamCompress.Cli.Commands;

/// <summary>The options that every command has, and what commands share in using them.</summary>
public sealed class CommonOptions(CommandContext context)
{
    public CommandContext Context { get; } = context;

    public Option<string> Format { get; } = Choice("--format", "Format of the result on standard output.", "text", "text", "json");

    public Option<bool> Verbose { get; } = new("--verbose", "-v") { Description = "Say more on standard error.", Recursive = true };

    public Option<bool> FailOnWarnings { get; } = new("--fail-on-warnings") { Description = "Exit with 1 when there is a warning.", Recursive = true };

    public ReadingOptions Reading { get; } = new();

    public Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "Only errors on standard error.", Recursive = true };

    /// <summary>Writes the result: <paramref name="result"/> as JSON, or the text when that is the format.</summary>
    /// <exception cref="SamCompressException">Standard output is closed or full.</exception>
    public void Write(ParseResult parse, object result, Action<TextWriter> text)
    {
        try
        {
            if (parse.GetValue(Format) == "json")
                Context.Out.WriteLine(JsonText.Serialize(result));
            else
                text(Context.Out);
            Context.Out.Flush();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SamCompressException(FailureKind.Output, $"the result could not be written to standard output: {e.Message}", "what was written to files is there.", e);
        }
    }

    /// <summary>The same of a job that makes a model; its report as Markdown also goes where GitHub Actions shows it.</summary>
    internal void Write(ParseResult parse, IModelReport report, Action<TextWriter> text, Func<string> markdown)
    {
        Write(parse, report, text);
        if (report.Artifact is not null && Context.GitHub?.AppendSummary(markdown()) is { } failure)
            Context.Error.WriteLine($"samcompress: warning: {SafeText.Line(failure)}");
    }

    internal ConsoleProgress Progress(ParseResult parse) =>
        parse.GetValue(Quiet) ? new ConsoleProgress(TextWriter.Null, null) : new ConsoleProgress(Context.Error, Context.TerminalWidth);

    /// <summary><c>--state</c>: where something long is kept.</summary>
    /// <param name="what">What is kept.</param>
    public static Option<string?> State(string what) => new("--state") { Description = $"A file to keep {what} in; a run that was stopped goes on from it.", HelpName = "FILE" };

    /// <summary>The exit code of a job that came to its end.</summary>
    /// <param name="met">Whether all that was demanded of the result holds.</param>
    public int ExitCode(ParseResult parse, bool met, IEnumerable<Diagnostic> diagnostics) =>
        met && !(parse.GetValue(FailOnWarnings) && diagnostics.Any(d => d.Severity != Severity.Info)) ? ExitCodes.Done : ExitCodes.Negative;

    /// <summary>An option with listed values.</summary>
    public static Option<string> Choice(string name, string description, string defaultValue, params string[] values)
    {
        var option = new Option<string>(name)
        {
            Description = description,
            HelpName = string.Join('|', values),
            DefaultValueFactory = _ => defaultValue,
            Recursive = name == "--format",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !values.Contains(result.Tokens[0].Value, StringComparer.Ordinal))
                result.AddError($"'{result.Tokens[0].Value}' is no value of {name}: use one of {string.Join(", ", values)}.");
        });
        return option;
    }
}
