using System.Security.Cryptography;
using System.Text;
using SamCompress.IR;

namespace SamCompress.Cli.Jobs;

/// <summary>SHA-256 of files, in lower-case hexadecimal.</summary>
internal static class FileHash
{
    public static string Of(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Of the model file alone when all data is in it; else of the hashes of its files, the model first, then the data by name.</summary>
    public static string Of(Model model, string path)
    {
        string[] data = [.. model.Files.Where(f => Path.GetFullPath(f) != Path.GetFullPath(path)).Order(StringComparer.Ordinal)];
        return data.Length == 0 ? Of(path) : OfHashes(data.Prepend(path).Select(Of));
    }

    public static string OfHashes(IEnumerable<string> hashes) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Join('\n', hashes))));
}
