using System.Globalization;
using SamCompress.Cli.Rendering;

namespace SamCompress.Cli;

/// <summary>What a command may touch outside its job: writers, terminal, cancellation. Tests pass their own.</summary>
public sealed class CommandContext
{
    /// <summary>The result, and nothing else.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Progress, warnings and errors.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Columns of the terminal that <see cref="Error"/> goes to, or null when it is none that a line can be redrawn on.</summary>
    public int? TerminalWidth { get; init; }

    /// <summary>What GitHub Actions wants to be told; null elsewhere.</summary>
    internal GitHubActions? GitHub { get; init; }

    public CancellationToken Cancellation { get; init; }

    public static CommandContext OfConsole(CancellationToken cancellation)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        return new CommandContext
        {
            Out = Console.Out,
            Error = new LenientWriter(Console.Error),
            TerminalWidth = CanRedraw() ? Math.Max(Console.WindowWidth, 20) : null,
            GitHub = GitHubActions.Of(Environment.GetEnvironmentVariable),
            Cancellation = cancellation,
        };
    }

    /// <summary>Follows no-color.org (present and not empty) and the customs of build servers and dumb terminals.</summary>
    private static bool CanRedraw() =>
        !Console.IsErrorRedirected
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"))
        && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } term
        && term != "dumb";
}
