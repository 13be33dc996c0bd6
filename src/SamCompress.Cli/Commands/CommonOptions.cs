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

    public Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "Only errors on standard error.", Recursive = true };

    /// <summary>Writes the result: <paramref name="result"/> as JSON, or the text when that is the format.</summary>
    public void Write(ParseResult parse, object result, Action<TextWriter> text)
    {
        if (parse.GetValue(Format) == "json")
            Context.Out.WriteLine(JsonText.Serialize(result));
        else
            text(Context.Out);
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
