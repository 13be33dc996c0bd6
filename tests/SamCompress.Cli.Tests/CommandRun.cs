using System.Text.Json;

namespace SamCompress.Cli.Tests;

/// <summary>One command line, run in this process, and what came out.</summary>
internal sealed record CommandRun(int ExitCode, string Out, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Out).RootElement;

    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public static CommandRun Of(params string[] args) => Of(CancellationToken.None, args);

    public static CommandRun Of(CancellationToken cancellation, params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        int exitCode = CommandLine.Run(args, new CommandContext { Out = output, Error = error, Cancellation = cancellation });
        return new CommandRun(exitCode, output.ToString(), error.ToString());
    }
}
