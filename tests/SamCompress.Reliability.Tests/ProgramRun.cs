using System.Diagnostics;

namespace SamCompress.Reliability.Tests;

/// <summary>The row of <see cref="Rows"/> that a test belongs to.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class RowAttribute(string id) : Attribute
{
    public string Id { get; } = id;
}

/// <summary>The program in a process of its own: what a shell, limits of the system and signals do to it.</summary>
internal sealed record ProgramRun(int ExitCode, string Out, string Error)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static string Program { get; } = typeof(Cli.CommandLine).Assembly.Location;

    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <param name="args">Arguments of the program.</param>
    /// <param name="before">Commands of the shell that start it, for example <c>ulimit</c>; it replaces the shell.</param>
    /// <param name="environment">What differs from that of the tests; null removes.</param>
    public static ProgramRun Of(IEnumerable<string> args, string before = "", params (string Name, string? Value)[] environment)
    {
        using Process process = Start(args, before, environment);
        return Finish(process);
    }

    public static Process Start(IEnumerable<string> args, string before = "", params (string Name, string? Value)[] environment)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add("-c");
        // Set behind the shell, which would complain of languages that are not installed. Tests that run in the background of a shell ignore signals, and so would their children.
        string variables = string.Concat(environment.Select(e => e.Value is null ? $" -u {e.Name}" : $" '{e.Name}={e.Value}'"));
        start.ArgumentList.Add($"{before}{(before.Length > 0 ? "; " : "")}exec env{(OperatingSystem.IsLinux() ? " --default-signal" : "")}{variables} dotnet \"$0\" \"$@\"");
        start.ArgumentList.Add(Program);
        foreach (string argument in args)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    public static ProgramRun Finish(Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("the program does not end");
        }

        return new ProgramRun(process.ExitCode, output.Result, error.Result);
    }
}
