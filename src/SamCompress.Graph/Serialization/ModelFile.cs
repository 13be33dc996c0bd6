using System.Text;

namespace SamCompress.IR.Serialization;

/// <summary>Opens a file that should be a model, and says what it is when it is something else.</summary>
internal static class ModelFile
{
    public static MappedFile Open(string path)
    {
        if (Directory.Exists(path))
            throw Rejected(path, "is a directory, not a model file");
        var info = new FileInfo(path);
        if (!info.Exists)
            throw Rejected(path, "not found", "check the path of the model");
        if (!IsRegular(info))
            throw Rejected(path, "is not a regular file");
        MappedFile file;
        try
        {
            file = new MappedFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SamCompressException(FailureKind.InputRejected, $"cannot be read: {e.Message}", innerException: e) { Location = path };
        }

        try
        {
            if (file.Length == 0)
                throw Rejected(path, "is an empty file");
            Recognize(path, file);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether it is an ordinary file, or a link to one: not a pipe, a device or a socket, nor a link to nothing.</summary>
    public static bool IsRegular(FileInfo info)
    {
        if (!OperatingSystem.IsWindows() && info.LinkTarget is not null)
        {
            if (InputFile.RealPath(info.FullName) is not { } real || !File.Exists(real))
                return false;
            info = new FileInfo(real);
        }

        const FileAttributes Special = FileAttributes.Device | FileAttributes.Directory;
        // .NET reports pipes, sockets and devices on Unix as ordinary files of length 0 that cannot seek.
        return (info.Attributes & Special) == 0 && (info.Length > 0 || OperatingSystem.IsWindows() || UnixFileType.IsEmptyFile(info.FullName));
    }

    private static unsafe void Recognize(string path, MappedFile file)
    {
        int count = (int)Math.Min(file.Length, 512);
        var head = new ReadOnlySpan<byte>(file.Pointer(0, count), count);
        if (head.StartsWith("version https://git-lfs"u8))
            throw Rejected(path, "is a Git LFS pointer, not the model itself", "run: git lfs pull");
        string text = Encoding.ASCII.GetString(head).TrimStart();
        if (text.StartsWith("<!DOCTYPE", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase))
            throw Rejected(path, "is an HTML page, not a model", "a download went wrong: fetch the file itself");
        if (text.StartsWith('{') || text.StartsWith('['))
            throw Rejected(path, "looks like JSON, not a model");
        if (FileSignatures.Name(head, file.Length) is { } format)
            throw Unsupported(path, format);
        if (FileSignatures.IsCoreMl(file))
            throw Unsupported(path, "a Core ML model");
        if (FileSignatures.IsText(head))
            throw Rejected(path, "is a text file, not a model");
    }

    private static SamCompressException Rejected(string path, string what, string? hint = null) =>
        new(FailureKind.InputRejected, what, hint) { Location = path };

    private static SamCompressException Unsupported(string path, string what) =>
        new(FailureKind.Unsupported, $"is {what}, not an ONNX model", "export the model to ONNX first") { Location = path };
}
