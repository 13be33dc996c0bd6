using System.Diagnostics;
using System.Globalization;
using SamCompress.Cli.Supervision;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Supervision;

/// <summary>What becomes of a run whose processes are ended from outside.</summary>
public sealed class SupervisorTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(true, "quantize", "m.onnx")]
    [InlineData(true, "compress", "m.onnx", "--recipe", "int8")]
    [InlineData(false, "inspect", "m.onnx")]
    [InlineData(false, "quantize", "--help")]
    [InlineData(false, "--version")]
    [InlineData(false)]
    public void Only_what_runs_a_model_gets_a_process_of_its_own(bool wants, params string[] args) => Assert.Equal(wants, Supervisor.Wants(args));

    [LinuxFact]
    public void A_child_that_dies_is_an_error_line_and_an_exit_code()
    {
        using Process parent = Start();
        using Process child = ChildOf(parent);
        child.Kill();
        Assert.True(parent.WaitForExit(Patience));
        Assert.Equal(6, parent.ExitCode);
        string[] lines = parent.StandardError.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("samcompress: error SC6000: 'quantize' was killed (signal 9)", lines[^2], StringComparison.Ordinal);
        Assert.StartsWith("hint: ", lines[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(_directory.File("out.onnx")));
    }

    [LinuxFact]
    public void A_child_does_not_outlive_its_parent()
    {
        using Process parent = Start();
        using Process child = ChildOf(parent);
        parent.Kill();
        Assert.True(child.WaitForExit(Patience));
    }

    [LinuxFact]
    public void A_signal_to_the_parent_lets_the_child_clean_up()
    {
        using Process parent = Start();
        using Process child = ChildOf(parent);
        while (!Directory.EnumerateFileSystemEntries(_directory.Path).Any())
            Thread.Sleep(20);
        using (Process kill = Process.Start("kill", ["-TERM", parent.Id.ToString(CultureInfo.InvariantCulture)]))
            kill.WaitForExit();
        Assert.True(parent.WaitForExit(Patience));
        Assert.Equal(143, parent.ExitCode);
        Assert.Empty(_directory.Names);
    }

    /// <summary>A job that would take many seconds.</summary>
    private Process Start()
    {
        string root = SkeletonModels.RepositoryRoot;
        var start = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string argument in (string[])
        [
            typeof(CommandLine).Assembly.Location, "quantize", Path.Combine(root, "models", "sam-nano", "encoder.onnx"), "-o", _directory.File("out.onnx"),
            "--calibration-data", Path.Combine(root, "calibration"), "--quiet",
        ])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private static Process ChildOf(Process parent)
    {
        string children = string.Create(CultureInfo.InvariantCulture, $"/proc/{parent.Id}/task");
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < Patience)
        {
            int[] found = [.. Directory.GetDirectories(children).SelectMany(t => File.ReadAllText(Path.Combine(t, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(int.Parse)];
            if (found is [var id])
                return Process.GetProcessById(id);
            Thread.Sleep(20);
        }

        throw new TimeoutException("the parent has made no child");
    }

    /// <summary>There a process names its children.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class LinuxFactAttribute : FactAttribute
    {
        public LinuxFactAttribute() => Skip = OperatingSystem.IsLinux() ? null : "reads /proc";
    }
}
