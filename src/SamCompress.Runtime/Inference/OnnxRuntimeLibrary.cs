using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.OnnxRuntime;

namespace SamCompress.Runtime.Inference;

/// <summary>The native library of ONNX Runtime: found, of a version we know, silent; and the one function its C# binding leaves out.</summary>
internal static unsafe partial class OnnxRuntimeLibrary
{
    /// <summary>The oldest version whose fusions we rely on.</summary>
    public static readonly Version Wanted = new(1, 29);

    private const string Name = "onnxruntime";

    /// <summary>Version of the table of functions; tables only grow, so the places below hold in every later version.</summary>
    private const uint ApiVersion = 14;
    private const int GetErrorMessagePlace = 2;
    private const int ReleaseStatusPlace = 93;
    private const int CreateTensorWithDataPlace = 49;
    private const int CreateCpuMemoryInfoPlace = 69;
    private const int ReleaseMemoryInfoPlace = 94;
    private const int ReleaseValuePlace = 96;
    private const int AddExternalInitializersPlace = 210;
    private const int DeviceAllocator = 0;
    private const int DefaultMemoryType = 0;

    private static readonly Lazy<OrtEnv> Environment = new(CreateEnvironment);

    /// <summary>The version of the library, for reports.</summary>
    /// <exception cref="SamCompressException">The library is missing or too old.</exception>
    public static string Version => Require();

    /// <summary>The execution providers that the library was built with.</summary>
    public static IReadOnlyList<string> Providers
    {
        get
        {
            _ = Require();
            return Environment.Value.GetAvailableProviders();
        }
    }

    /// <summary>Checks the library and makes the environment of ONNX Runtime, once.</summary>
    /// <exception cref="SamCompressException">The library is missing, of another processor, or too old.</exception>
    public static string Require()
    {
        string found;
        try
        {
            ApiBase* api = GetApiBase();
            found = Marshal.PtrToStringUTF8(api->GetVersionString()) ?? "";
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            string what = e switch
            {
                DllNotFoundException => "was not found or could not be loaded",
                BadImageFormatException => $"is not for this processor ({RuntimeInformation.ProcessArchitecture})",
                _ => "is not ONNX Runtime: it lacks OrtGetApiBase",
            };
            throw new SamCompressException(
                FailureKind.Runtime,
                $"the native library {Name} {what}; version {Wanted} or later is wanted",
                "restore the packages again, so that the library lies beside the program",
                e);
        }

        CheckVersion(found);
        _ = Environment.Value;
        return found;
    }

    /// <exception cref="SamCompressException">Older than <see cref="Wanted"/>, or no version.</exception>
    internal static void CheckVersion(string found)
    {
        if (System.Version.TryParse(found.Split('-', '+')[0], out Version? version) && version >= Wanted)
            return;
        throw new SamCompressException(
            FailureKind.Runtime,
            $"the native library {Name} has version {OneLine(found)}; version {Wanted} or later is wanted",
            "remove the older library from the library path");
    }

    /// <summary>Hands the data of initializers that the model declares as external to the session to be opened.</summary>
    /// <param name="buffers">Name, element type, dimensions, address and bytes; the memory must live as long as the session.</param>
    /// <returns>The native values, to be released by <see cref="Release"/> once the session is closed.</returns>
    public static IReadOnlyList<nint> AddExternalInitializers(
        SessionOptions options,
        IReadOnlyList<(string Name, IR.ElementType Type, long[] Dimensions, nint Address, long Bytes)> buffers)
    {
        void** table = Table();
        var names = new nint[buffers.Count];
        var values = new nint[buffers.Count];
        try
        {
            nint memory;
            Check(table, ((delegate* unmanaged<int, int, nint*, nint>)table[CreateCpuMemoryInfoPlace])(DeviceAllocator, DefaultMemoryType, &memory));
            try
            {
                var create = (delegate* unmanaged<nint, nint, nuint, long*, nuint, int, nint*, nint>)table[CreateTensorWithDataPlace];
                for (int i = 0; i < values.Length; i++)
                {
                    (string name, IR.ElementType type, long[] dimensions, nint address, long bytes) = buffers[i];
                    names[i] = Marshal.StringToCoTaskMemUTF8(name);
                    fixed (long* shape = dimensions)
                    {
                        nint value;
                        Check(table, create(memory, address, (nuint)bytes, shape, (nuint)dimensions.Length, (int)type, &value));
                        values[i] = value;
                    }
                }
            }
            finally
            {
                ((delegate* unmanaged<nint, void>)table[ReleaseMemoryInfoPlace])(memory);
            }

            fixed (nint* namePointers = names)
            fixed (nint* valuePointers = values)
            {
                var add = (delegate* unmanaged<nint, nint*, nint*, nuint, nint>)table[AddExternalInitializersPlace];
                Check(table, add(options.DangerousGetHandle(), namePointers, valuePointers, (nuint)names.Length));
            }

            return values;
        }
        catch
        {
            Release(values);
            throw;
        }
        finally
        {
            foreach (nint name in names)
                Marshal.FreeCoTaskMem(name);
        }
    }

    public static void Release(IReadOnlyList<nint> values)
    {
        if (values.Count == 0)
            return;
        var release = (delegate* unmanaged<nint, void>)Table()[ReleaseValuePlace];
        foreach (nint value in values)
        {
            if (value != 0)
                release(value);
        }
    }

    /// <summary>A failure of ONNX Runtime as our exception, its text brought to one line.</summary>
    public static SamCompressException Failure(string doing, Exception exception)
    {
        string text = Clean(exception.Message);
        bool memory = text.Contains("bad_alloc", StringComparison.Ordinal) || text.Contains("allocate", StringComparison.OrdinalIgnoreCase);
        return new SamCompressException(FailureKind.Runtime, $"{doing}: {text}", memory ? "less memory is free than the model needs" : null, exception);
    }

    /// <summary>The message without ONNX Runtime's error code and source position, on one line of at most 300 characters.</summary>
    internal static string Clean(string message)
    {
        ReadOnlySpan<char> text = message;
        if (text.StartsWith("[ErrorCode:", StringComparison.Ordinal) && text.IndexOf(']') is >= 0 and int end)
            text = text[(end + 1)..];
        string line = OneLine(text.ToString());
        int source = line.IndexOf("/onnxruntime/", StringComparison.Ordinal);
        while (source >= 0)
        {
            int start = line.LastIndexOf(' ', source) + 1;
            int stop = line.IndexOf(' ', source);
            line = (line[..start] + (stop < 0 ? "" : line[(stop + 1)..])).Trim();
            source = line.IndexOf("/onnxruntime/", StringComparison.Ordinal);
        }

        return line.Length > 300 ? line[..297] + "..." : line;
    }

    private static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            bool space = char.IsControl(c) || c == ' ';
            if (!space)
                line.Append(c);
            else if (line.Length > 0 && line[^1] != ' ')
                line.Append(' ');
        }

        return line.ToString().TrimEnd();
    }

    private static OrtEnv CreateEnvironment()
    {
        // Without a logging function ONNX Runtime writes to standard error; what matters to a user arrives as an exception.
        var options = new EnvironmentCreationOptions
        {
            logId = "samcompress",
            logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            loggingFunction = (_, _, _, _, _, _) => { },
        };
        return OrtEnv.CreateInstanceWithOptions(ref options);
    }

    private static void** Table()
    {
        void** table = GetApiBase()->GetApi(ApiVersion);
        return table is null ? throw new InvariantException($"ONNX Runtime has no table of functions of version {ApiVersion}") : table;
    }

    private static void Check(void** table, nint status)
    {
        if (status == 0)
            return;
        nint text = ((delegate* unmanaged<nint, nint>)table[GetErrorMessagePlace])(status);
        string message = Clean(Marshal.PtrToStringUTF8(text) ?? "");
        ((delegate* unmanaged<nint, void>)table[ReleaseStatusPlace])(status);
        throw new SamCompressException(FailureKind.Runtime, string.Create(CultureInfo.InvariantCulture, $"weights could not be handed to ONNX Runtime: {message}"));
    }

    [LibraryImport(Name, EntryPoint = "OrtGetApiBase")]
    private static partial ApiBase* GetApiBase();

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct ApiBase
    {
        public readonly delegate* unmanaged<uint, void**> GetApi;
        public readonly delegate* unmanaged<nint> GetVersionString;
    }
}
