using System.Diagnostics;
using System.Globalization;
using SamCompress.Cli;

namespace SamCompress.Fuzz;

/// <summary>What was wrong with a case, which <c>repeat TARGET SEED</c> makes again.</summary>
internal sealed record Finding(string Target, long Seed, string What);

/// <summary>Runs cases one after the other in this process and judges each: its exit code, what it prints, the time and the memory that it takes, what it leaves behind.</summary>
internal sealed class FuzzWorker : IDisposable
{
    /// <summary>Of this process, all threads together: a busy machine makes nothing slower by this clock.</summary>
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(2);
    private const long MostMemory = 300L << 20;
    private const int ShownText = 300;

    private readonly string _directory = Directory.CreateTempSubdirectory("samcompress-fuzz-").FullName;

    /// <param name="kept">A folder for the files of the case, which then stay; null for one that goes.</param>
    public Finding? Run(FuzzTarget target, long seed, string? kept = null)
    {
        if (kept is not null)
            return Found(target, seed, Directory.CreateDirectory(kept).FullName);
        string directory = Directory.CreateDirectory(Path.Combine(_directory, "case")).FullName;
        try
        {
            return Found(target, seed, directory);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static Finding? Found(FuzzTarget target, long seed, string directory) => Judge(target, seed, directory) is { } what ? new Finding(target.Name, seed, what) : null;

    private static string? Judge(FuzzTarget target, long seed, string directory)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var context = new CommandContext { Out = output, Error = error };
        using var process = Process.GetCurrentProcess();
        long before = ResetPeakMemory();
        TimeSpan start = process.TotalProcessorTime;
        int exitCode;
        try
        {
            exitCode = target.Run(new Random(HashCode(target.Name, seed)), directory, context);
        }
        catch (Exception e)
        {
            return Shortened($"threw {e}");
        }

        process.Refresh();
        TimeSpan time = process.TotalProcessorTime - start;
        long memory = PeakMemory() - before;
        if (!target.ExitCodes.Contains(exitCode))
            return Shortened($"exit code {exitCode}: {error}");
        if (time > MostTime)
            return Invariant($"took {time.TotalSeconds:F1} s of processor time, exit code {exitCode}: {FirstLine(error)}");
        if (memory > MostMemory)
            return Invariant($"took {memory >> 20} MiB, exit code {exitCode}: {FirstLine(error)}");
        return WrongText(exitCode, output.ToString(), error.ToString()) ?? Litter(directory);
    }

    /// <summary>An error is one line and at most one hint, without control characters.</summary>
    private static string? WrongText(int exitCode, string output, string error)
    {
        string[] lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        int errors = lines.Count(l => l.Contains(": error SC", StringComparison.Ordinal));
        bool isCheck = exitCode == 1;
        if (exitCode > 1 && errors != 1)
            return Shortened($"exit code {exitCode} with {errors} error lines: {error}");
        if (!isCheck && error.Concat(output).Any(c => char.IsControl(c) && c != '\n'))
            return Shortened($"prints control characters: {error}{output}");
        return error.Contains("   at SamCompress", StringComparison.Ordinal) ? Shortened($"prints a stack trace: {error}") : null;
    }

    private static string? Litter(string directory) =>
        Directory.EnumerateFileSystemEntries(directory).FirstOrDefault(e => Path.GetFileName(e).Contains("stage", StringComparison.Ordinal)) is { } stage ? $"left {Path.GetFileName(stage)}" : null;

    /// <summary>The same on every machine, unlike that of the framework.</summary>
    private static int HashCode(string name, long seed)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in name)
            hash = (hash ^ c) * 1099511628211;
        hash = (hash ^ (ulong)seed) * 1099511628211;
        return (int)(hash ^ (hash >> 32));
    }

    /// <summary>Linux alone lets a process forget its peak; elsewhere memory is not judged.</summary>
    /// <returns>Bytes in use now.</returns>
    private static long ResetPeakMemory()
    {
        if (!OperatingSystem.IsLinux())
            return long.MaxValue / 2;
        File.WriteAllText("/proc/self/clear_refs", "5");
        return PeakMemory();
    }

    private static long PeakMemory()
    {
        if (!OperatingSystem.IsLinux())
            return 0;
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }

    private static string FirstLine(StringWriter error) => Shortened(error.ToString().Split('\n')[0]);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    private static string Shortened(string text) => text.Length <= ShownText ? text : text[..ShownText] + "...";
}
