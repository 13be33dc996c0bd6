using System.Runtime.InteropServices;

namespace SamCompress.IR;

/// <summary>What .NET does not tell of a file: pipes, sockets and devices look like empty files, and hard links like any other.</summary>
internal static unsafe partial class UnixFileType
{
    private const int NonBlockingReadOnly = 0x800;

    /// <summary>Whether a file of length 0 can seek, as pipes and sockets cannot, and holds nothing, as devices do. Never waits for a writer.</summary>
    public static bool IsEmptyFile(string path)
    {
        if (!OperatingSystem.IsLinux())
            return true;
        if (Status(path) is { } status && (BitConverter.ToUInt16(status, ModeOffset) & TypeMask) != RegularFile)
            return false;
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

    /// <summary>How many names a file has in its file system, that is hard links; null where that cannot be told.</summary>
    public static uint? Names(string path)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        return Status(path) is { } status ? BitConverter.ToUInt32(status, LinksOffset) : null;
    }

    /// <summary>struct statx, whose layout is the same on every processor; null when there is no such file.</summary>
    private static byte[]? Status(string path)
    {
        const int Size = 256, CurrentDirectory = -100;
        const uint TypeAndLinks = 1 | 4;
        var status = new byte[Size];
        fixed (byte* address = status)
            return Status(CurrentDirectory, path, 0, TypeAndLinks, address) == 0 ? status : null;
    }

    private const int LinksOffset = 16;
    private const int ModeOffset = 28;
    private const int TypeMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int SeekEnd = 2;

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Status(int directory, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "lseek")]
    private static partial long Seek(int descriptor, long offset, int origin);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
