using System.Diagnostics;

namespace SamCompress.Cli.Tests.Packaging;

/// <summary>A program that ran to its end, and what it wrote to either stream.</summary>
internal sealed record ProcessRun(int ExitCode, string Output)
{
    public static ProcessRun DotNet(string folder, params IEnumerable<string> arguments) => Of("dotnet", folder, arguments);

    public static ProcessRun Of(string program, string folder, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        // A test host hands on the places of its own MSBuild, and nodes that outlive a test would keep its files open.
        foreach (string name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["DOTNET_NOLOGO"] = "1";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new ProcessRun(process.ExitCode, output + error.Result);
    }

    /// <summary>How many lines have a text.</summary>
    public int Count(string text) => Output.Split('\n').Count(l => l.Contains(text, StringComparison.Ordinal));
}
