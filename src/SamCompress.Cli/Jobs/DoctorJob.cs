using System.Runtime.InteropServices;

namespace SamCompress.Cli.Jobs;

/// <summary>One thing that was looked at.</summary>
/// <param name="Ok">False when something cannot work on this machine.</param>
/// <param name="Hint">What to do, or null.</param>
public sealed record DoctorFinding(string Subject, bool Ok, string Found, string? Hint = null);

public sealed record DoctorReport(int SchemaVersion, bool Healthy, IReadOnlyList<DoctorFinding> Findings);

/// <summary>Looks at the machine: versions, cores, memory, what ONNX Runtime can do, the default calibration set.</summary>
public static class DoctorJob
{
    public static DoctorReport Run()
    {
        List<DoctorFinding> findings =
        [
            new("samcompress", true, CommandLine.Version),
            new(".NET", true, $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.RuntimeIdentifier}"),
            new("cores", true, $"{Environment.ProcessorCount}"),
            new("memory", true, $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1 << 20)} MiB available to this process"),
        ];
        return new DoctorReport(1, findings.TrueForAll(f => f.Ok), findings);
    }
}
