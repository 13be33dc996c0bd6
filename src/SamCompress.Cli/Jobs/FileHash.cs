using System.Security.Cryptography;
using System.Text;
using SamCompress.IR;

namespace SamCompress.Cli.Jobs;

/// <summary>SHA-256 of files, in lower-case hexadecimal.</summary>
internal static class FileHash
{
    /// <exception cref="SamCompressException">The file is missing, no regular one, or cannot be read.</exception>
    public static string Of(string path)
    {
        try
        {
            using FileStream stream = InputFile.Open(path, long.MaxValue);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SamCompressException(FailureKind.InputRejected, $"{Path.GetFileName(path)}: {e.Message}", null, e) { Location = path };
        }
    }

    /// <summary>Of the model file alone when all data is in it; else of the hashes of its files, the model first, then the data by name.</summary>
    public static string Of(Model model, string path)
    {
        string[] data = [.. model.Files.Where(f => Path.GetFullPath(f) != Path.GetFullPath(path)).Order(StringComparer.Ordinal)];
        return data.Length == 0 ? Of(path) : OfHashes(data.Prepend(path).Select(Of));
    }

    public static string OfHashes(IEnumerable<string> hashes) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Join('\n', hashes))));
}
