using System.Diagnostics;

namespace SamCompress.Cli.Jobs;

internal static class ProcessMemory
{
    /// <summary>The most bytes of memory that this process had resident.</summary>
    public static long Peak()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
