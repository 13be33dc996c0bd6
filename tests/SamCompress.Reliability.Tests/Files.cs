using System.Diagnostics;
using System.Net.Sockets;
using SamCompress.Cli.Tests;

namespace SamCompress.Reliability.Tests;

/// <summary>Entries of a directory that are more than a file.</summary>
internal static class Files
{
    /// <summary>A named pipe that nobody writes to.</summary>
    public static string Pipe(TemporaryDirectory directory, string name) => Made("mkfifo", directory.File(name));

    public static string Link(TemporaryDirectory directory, string name, string target)
    {
        File.CreateSymbolicLink(directory.File(name), target);
        return directory.File(name);
    }

    /// <summary>A second name of a file.</summary>
    public static string HardLink(TemporaryDirectory directory, string name, string file)
    {
        _ = Made("ln", file, directory.File(name));
        return directory.File(name);
    }

    public static string Bytes(TemporaryDirectory directory, string name, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(directory.File(name))!);
        File.WriteAllBytes(directory.File(name), bytes);
        return directory.File(name);
    }

    public static string Socket(TemporaryDirectory directory, string name)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(directory.File("bound")));
        // Closing a socket removes the name that it was bound to.
        File.Move(directory.File("bound"), directory.File(name));
        return directory.File(name);
    }

    /// <summary>A file of zeros that takes no place on the disk.</summary>
    public static string Hole(TemporaryDirectory directory, string name, long length)
    {
        using FileStream file = File.Create(directory.File(name));
        file.SetLength(length);
        return directory.File(name);
    }

    private static string Made(string program, params string[] args)
    {
        using Process process = Process.Start(program, args);
        process.WaitForExit();
        return process.ExitCode == 0 ? args[^1] : throw new InvalidOperationException($"{program} failed");
    }
}
