using System.Runtime.InteropServices;

namespace SamCompress.IR;

/// <summary>What kind of file a path names; .NET does not tell pipes and sockets from files.</summary>
internal static partial class UnixFileType
{
    private const int NonBlockingReadOnly = 0x800;

    /// <summary>Whether the file can seek, which pipes and sockets cannot. Never waits for a writer.</summary>
    public static bool IsRegular(string path)
    {
        if (!OperatingSystem.IsLinux())
            return true;
        int descriptor = Open(path, NonBlockingReadOnly);
        if (descriptor < 0)
            return File.Exists(path);
        try
        {
            return Seek(descriptor, 0, SeekEnd) == 0;
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private const int SeekEnd = 2;

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "lseek")]
    private static partial long Seek(int descriptor, long offset, int origin);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
