using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Jobs;

public enum DoctorVerdict
{
    Ok,

    /// <summary>Something that not everybody needs is not there.</summary>
    Absent,

    /// <summary>Something without which SamCompress does not work.</summary>
    Broken,
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Hint">What to do, or null.</param>
public sealed record DoctorFinding(string Subject, DoctorVerdict Verdict, string Found, string? Hint = null);

public sealed record DoctorReport(int SchemaVersion, bool Healthy, IReadOnlyList<DoctorFinding> Findings);

/// <summary>Looks at the machine: versions, cores, memory, what ONNX Runtime can do, the default calibration set.</summary>
public static class DoctorJob
{
    public static DoctorReport Run()
    {
        List<DoctorFinding> findings =
        [
            Good("samcompress", CommandLine.Version),
            Good(".NET", $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.RuntimeIdentifier}"),
            Good("cores", $"{Environment.ProcessorCount}, {IntegerInstructions()}"),
            Good("memory", $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1 << 20)} MiB"),
            Tried("ONNX Runtime", () => $"{OnnxSession.RuntimeVersion} (1.29 or later is wanted), with {string.Join(", ", OnnxSession.AvailableProviders)}"),
            Tried("picture codecs", Codecs),
            Cuda(),
            CalibrationSet(),
        ];
        return new DoctorReport(1, findings.TrueForAll(f => f.Verdict != DoctorVerdict.Broken), findings);
    }

    private static DoctorFinding Good(string subject, string found) => new(subject, DoctorVerdict.Ok, found);

    private static DoctorFinding Tried(string subject, Func<string> look)
    {
        try
        {
            return Good(subject, look());
        }
        catch (SamCompressException e)
        {
            return new DoctorFinding(subject, DoctorVerdict.Broken, e.Message, e.Hint);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new DoctorFinding(subject, DoctorVerdict.Broken, e.Message, "the folder for temporary files must be writable.");
        }
    }

    private static string IntegerInstructions() => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 when AvxVnni.IsSupported => "AVX-VNNI: int8 is fast",
        Architecture.X64 when Avx512BW.IsSupported => "AVX-512: int8 is fast where the processor has VNNI",
        Architecture.X64 when Avx2.IsSupported => "AVX2 without VNNI: int8 gains less",
        Architecture.Arm64 when System.Runtime.Intrinsics.Arm.Dp.IsSupported => "dot product: int8 is fast",
        _ => "no integer dot product: int8 may not be faster",
    };

    /// <summary>Decodes and preprocesses a picture of one pixel.</summary>
    private static string Codecs()
    {
        string file = Path.Combine(Path.GetTempPath(), $"samcompress-doctor-{Environment.ProcessId}.png");
        File.WriteAllBytes(file, Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"));
        try
        {
            using var loader = new ImageLoader(null);
            loader.Decode(file).Dispose();
            return "JPEG and PNG can be read";
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static DoctorFinding Cuda()
    {
        const string Subject = "CUDA";
        try
        {
            if (!OnnxSession.AvailableProviders.Contains("CUDAExecutionProvider"))
                return new DoctorFinding(Subject, DoctorVerdict.Absent, "this ONNX Runtime was built without it", "only --device cuda needs it.");
        }
        catch (SamCompressException e)
        {
            Debug.Assert(e.Kind == FailureKind.Runtime, "the finding before says what is wrong with ONNX Runtime");
            return new DoctorFinding(Subject, DoctorVerdict.Absent, "ONNX Runtime cannot be loaded");
        }

        bool hasDriver = NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out nint handle);
        if (hasDriver)
            NativeLibrary.Free(handle);
        return hasDriver
            ? Good(Subject, "provider and driver are there")
            : new DoctorFinding(Subject, DoctorVerdict.Absent, "no NVIDIA driver on this machine", "only --device cuda needs it.");
    }

    private static DoctorFinding CalibrationSet() => ShippedAssets.Find() is { } assets
        ? Good("calibration set", $"{ImageSet.Open(assets.CalibrationFolder).Paths.Count} pictures")
        : new DoctorFinding("calibration set", DoctorVerdict.Absent, "not beside the tool", "only the sample model needs it; give --calibration-data for yours.");
}
