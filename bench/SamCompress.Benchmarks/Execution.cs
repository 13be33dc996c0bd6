using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using SamCompress.Testing;

namespace SamCompress.Benchmarks;

/// <summary>A finished run of the command line.</summary>
/// <param name="PeakMegabytes">The largest resident memory that was seen, in 10^6 bytes.</param>
/// <param name="Result">What it wrote; of a refused run, the error.</param>
internal sealed record Execution(int ExitCode, double Seconds, long PeakMegabytes, JsonElement Result)
{
    private const int Usage = 2;

    /// <summary>Why the command line does not take the arguments, or null when it does.</summary>
    public string? Refusal => ExitCode == Usage ? Result.GetProperty("error").GetProperty("message").GetString() : null;

    /// <param name="arguments">With <c>--format json</c> among them.</param>
    /// <exception cref="InvalidOperationException">It came to no result; one that is negative will do.</exception>
    public static Execution Of(params string[] arguments)
    {
        Execution execution = OrRefusal(arguments);
        return execution.Refusal is null ? execution : throw Failed(arguments, execution.ExitCode, execution.Refusal);
    }

    /// <summary>The same, for arguments that this version of the command line may not know.</summary>
    public static Execution OrRefusal(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(SkeletonModels.RepositoryRoot, "samcompress"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        long began = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start)!;
        Task<string> text = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        long peak = 0;
        while (!process.WaitForExit(5))
            peak = Math.Max(peak, PeakMemory(process.Id));
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        if (process.ExitCode is not (0 or 1 or Usage))
            throw Failed(arguments, process.ExitCode, errors.Result);
        return new Execution(process.ExitCode, seconds, peak / 1_000_000, JsonDocument.Parse(text.Result).RootElement);
    }

    private static InvalidOperationException Failed(string[] arguments, int exitCode, string why) =>
        new($"samcompress {string.Join(' ', arguments)} ended with {exitCode}: {why}");

    /// <summary>The high-water mark of resident memory in bytes, as Linux keeps it; 0 when the process is gone.</summary>
    private static long PeakMemory(int process)
    {
        try
        {
            string line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) ?? "";
            return line.Length == 0 ? 0 : long.Parse(line.AsSpan(6, line.Length - 9), NumberStyles.Any, CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
