using System.Text.Json;
using SamCompress.Cli.Rendering;
using SamCompress.IR;

namespace SamCompress.Cli.Jobs;

/// <summary>Compares the files of a folder with its manifest.</summary>
internal static class ManifestCheck
{
    private const long MaxBytes = 1 << 20;

    /// <exception cref="SamCompressException">The manifest cannot be read, or names a file outside its folder.</exception>
    public static CheckReport Run(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        List<Diagnostic> findings = [.. Read(path).Select(f => Check(folder, path, f)).OfType<Diagnostic>()];
        return new CheckReport(1, path, findings.Count == 0, findings.Count, 0, findings);
    }

    private static Diagnostic? Check(string folder, string manifest, ManifestFile file)
    {
        if (file.File is null or "" or "." or ".." || file.File.AsSpan().ContainsAny('/', '\\', ':') || file.File.Any(char.IsControl))
            throw Rejected(manifest, $"it names '{SafeText.Of(file.File ?? "")}', which is no file of its folder");
        string path = Path.Combine(folder, file.File);
        if (!File.Exists(path))
            return Finding("SC1101", "the file is missing");
        long bytes = new FileInfo(path).Length;
        if (bytes != file.Bytes)
            return Finding("SC1102", $"the file has {bytes} bytes; the manifest says {file.Bytes}");
        string hash = FileHash.Of(path);
        return string.Equals(hash, file.Sha256, StringComparison.OrdinalIgnoreCase)
            ? null
            : Finding("SC1103", $"provenance hash mismatch: the file has SHA-256 {hash}; the manifest says {SafeText.Of(file.Sha256 ?? "none")}");

        Diagnostic Finding(string id, string message) => new(id, Severity.Error, file.File, message);
    }

    private static IReadOnlyList<ManifestFile> Read(string path)
    {
        try
        {
            using FileStream stream = InputFile.Open(path, MaxBytes);
            using var json = JsonDocument.Parse(stream);
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("files", out JsonElement files) && JsonText.Deserialize<ManifestFile[]>(files) is { } read)
                return read;
            throw Rejected(path, "it lists no files");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw Rejected(path, SafeText.Line(e.Message), e);
        }
    }

    private static SamCompressException Rejected(string path, string why, Exception? inner = null) =>
        new(FailureKind.InputRejected, $"this is no manifest: {why}", "give the manifest.json of a folder that --output-dir wrote", inner) { Location = path };
}
