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

    /// <summary>The full path with the links of every component followed, whether the file is there or not; null when links lead in a circle.</summary>
    public static string? RealPath(string path)
    {
        const int MostLinks = 40;
        path = Path.GetFullPath(path);
        string result = Path.GetPathRoot(path)!;
        var rest = new Stack<string>(path[result.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse());
        for (int links = 0; rest.TryPop(out string? component);)
        {
            if (component == ".")
                continue;
            if (component == "..")
            {
                result = Path.GetDirectoryName(result) ?? result;
                continue;
            }

            string next = Path.Combine(result, component);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                result = next;
                continue;
            }

            if (++links > MostLinks)
                return null;
            if (Path.IsPathRooted(target))
                result = Path.GetPathRoot(target)!;
            foreach (string part in target.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse())
                rest.Push(part);
        }

        return result;
    }

    /// <summary>Whether it is an ordinary file, or a link to one: not a pipe, a device or a socket.</summary>
    public static bool IsRegular(string path) => ModelFile.IsRegular(new FileInfo(path));
}
