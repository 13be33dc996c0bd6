using SamCompress.IR.Serialization;

namespace SamCompress.IR;

/// <summary>Opens a file that a user names: a regular one, since a pipe or a device may never end, and no larger than its kind may be.</summary>
public static class InputFile
{
    /// <exception cref="IOException">Missing, not a regular file, or over the limit; the message is a phrase to stand behind the name.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static FileStream Open(string path, long mostBytes)
    {
        if (Directory.Exists(path))
            throw new IOException("is a directory");
        if (!File.Exists(path))
            throw new FileNotFoundException("not found");
        if (!IsRegular(path))
            throw new IOException("is not a regular file");
        FileStream stream = File.OpenRead(path);
        if (stream.Length <= mostBytes)
            return stream;
        long length = stream.Length;
        stream.Dispose();
        throw new IOException($"has {length} bytes; the limit is {mostBytes}");
    }

    /// <summary>Whether it is an ordinary file, or a link to one: not a pipe, a device or a socket.</summary>
    public static bool IsRegular(string path) => ModelFile.IsRegular(new FileInfo(path));
}
