using System.Runtime.InteropServices;

namespace SamCompress.Runtime;

/// <summary>Forces what was written to the disk, so that a power cut after a rename cannot leave an empty file.</summary>
public static partial class DiskFlush
{
    private const int ReadOnly = 0;

    public static void File(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Flushes the entries of a directory. Windows has no such call and needs none; file systems that refuse it are left alone.</summary>
    public static void Directory(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(path, ReadOnly);
        if (descriptor < 0)
            return;
        _ = Synchronize(descriptor);
        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
