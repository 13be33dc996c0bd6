using System.Runtime.InteropServices;

namespace SamCompress.IR;

/// <summary>What kind of file a path names; .NET does not tell pipes, sockets and devices from empty files.</summary>
internal static unsafe partial class UnixFileType
{
    private const int NonBlockingReadOnly = 0x800;

    /// <summary>Whether a file of length 0 can seek, as pipes and sockets cannot, and holds nothing, as devices do. Never waits for a writer.</summary>
    public static bool IsEmptyFile(string path)
    {
        if (!OperatingSystem.IsLinux())
            return true;
        int descriptor = Open(path, NonBlockingReadOnly);
        if (descriptor < 0)
            return File.Exists(path);
        try
        {
            byte content;
            return Seek(descriptor, 0, SeekEnd) == 0 && Read(descriptor, &content, 1) == 0;
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

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
