using System.Globalization;
using System.Security.Cryptography;

namespace SamCompress.IR.Serialization;

/// <summary>
/// Finds the data files of a model, and lets none lie outside the model's directory: not by its name, and not by a link.
/// A file may also lie in the directory of the model's own real path, since download caches keep both as links into one folder.
/// </summary>
/// <param name="strict">Whether what would be a finding is an error.</param>
internal sealed class ExternalDataResolver(string modelPath, bool strict) : IDisposable
{
    private const int MostFindings = 100;

    private static readonly string[] DeviceNames =
        ["con", "prn", "aux", "nul", "conin$", "conout$", .. Enumerable.Range(0, 10).SelectMany(i => new[] { $"com{i}", $"lpt{i}" })];

    private static readonly string[] KnownKeys = ["location", "offset", "length", "checksum"];

    private readonly string _directory = Path.GetDirectoryName(Path.GetFullPath(modelPath))!;
    private readonly Dictionary<string, MappedFile> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _checksums = new(StringComparer.Ordinal);
    private readonly List<Diagnostic> _findings = [];

    /// <summary>What was accepted and looks suspicious, at most a hundred.</summary>
    public IReadOnlyList<Diagnostic> Findings => _findings;

    /// <summary>The files that were opened; whoever takes them disposes of them.</summary>
    public IReadOnlyList<MappedFile> TakeFiles()
    {
        MappedFile[] files = [.. _files.Values];
        _files.Clear();
        return files;
    }

    public void Dispose()
    {
        foreach (MappedFile file in _files.Values)
            file.Dispose();
    }

    /// <summary>The file and offset of a tensor whose message says that its data is external.</summary>
    /// <param name="byteLength">What type and shape ask for.</param>
    /// <param name="missing">The error for a data file that is not there; the file is then null.</param>
    public (MappedFile? File, long Offset) Resolve(TensorProto proto, long byteLength, out SamCompressException? missing)
    {
        missing = null;
        string location = Single(proto, "location") ?? throw Rejected(proto, "external data without a location");
        long offset = Number(proto, "offset") ?? 0;
        long? length = Number(proto, "length");
        if (length is not null && length != byteLength)
            throw Rejected(proto, $"external data of {length} bytes where type and shape need {byteLength}");
        CheckName(proto, location);
        foreach (StringStringEntryProto entry in proto.ExternalData.Where(e => !KnownKeys.Contains(e.Key)))
            Suspect(proto, "SC3160", $"external data entry '{SafeText.Of(entry.Key)}' is not known");

        string path = Path.Combine(_directory, location);
        if (!File.Exists(path) && !Directory.Exists(path))
        {
            missing = new SamCompressException(
                FailureKind.InputRejected,
                $"tensor '{SafeText.Of(proto.Name)}': data file {SafeText.Of(path)} not found",
                "keep the model and its data file together")
            { Location = modelPath };
            return (null, 0);
        }

        if (!_files.TryGetValue(location, out MappedFile? file))
        {
            CheckPlace(proto, path);
            try
            {
                _files[location] = file = new MappedFile(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Rejected(proto, $"data file '{SafeText.Of(location)}' cannot be read: {e.Message}");
            }
        }

        if (offset > file.Length || byteLength > file.Length - offset)
            throw Rejected(proto, $"{byteLength} bytes at {offset} do not lie within data file '{SafeText.Of(location)}' of {file.Length} bytes");
        if (Single(proto, "checksum") is { Length: > 0 } checksum)
            VerifyChecksum(proto, location, file, checksum);
        return (file, offset);
    }

    /// <summary>The checksum is the SHA-1 of the whole file, which is read once for it.</summary>
    private void VerifyChecksum(TensorProto proto, string location, MappedFile file, string wanted)
    {
        if (!_checksums.TryGetValue(location, out string? found))
        {
            using FileStream stream = File.OpenRead(file.Path);
#pragma warning disable CA5350 // ONNX says that it is SHA-1; it guards against mistakes, not against forgery.
            _checksums.Add(location, found = Convert.ToHexStringLower(SHA1.HashData(stream)));
#pragma warning restore CA5350
        }

        if (!found.Equals(wanted, StringComparison.OrdinalIgnoreCase))
            throw Rejected(proto, $"data file '{SafeText.Of(location)}' has the SHA-1 {found}, and the model wants {SafeText.Of(wanted)}");
    }

    private void Suspect(TensorProto proto, string id, string what)
    {
        if (strict)
            throw Rejected(proto, what);
        if (_findings.Count < MostFindings)
            _findings.Add(new Diagnostic(id, Severity.Warning, SafeText.Of(proto.Name), what));
    }

    private string? Single(TensorProto proto, string key)
    {
        StringStringEntryProto[] entries = [.. proto.ExternalData.Where(e => e.Key == key)];
        return entries.Length > 1 ? throw Rejected(proto, $"two external data entries '{key}'") : entries.FirstOrDefault()?.Value;
    }

    private long? Number(TensorProto proto, string key)
    {
        if (Single(proto, key) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw Rejected(proto, $"external data {key} '{SafeText.Of(text)}' is not a number from 0 to 2^63 - 1");
    }

    /// <summary>Refuses by component whatever names a place outside the directory on any system. Both slashes separate.</summary>
    private void CheckName(TensorProto proto, string location)
    {
        if (location.Length is 0 or > 4096)
            throw Rejected(proto, $"external data location of {location.Length} characters");
        if (location.Any(char.IsControl))
            throw Rejected(proto, $"external data location '{SafeText.Of(location)}' has control characters");
        string[] components = location.Split('/', '\\');
        bool outside = components[0].Length == 0 || components.Contains("..") || location.Contains(':');
        if (outside)
            throw Rejected(proto, $"external data location '{SafeText.Of(location)}' is outside the model's directory");
        if (location.Contains('\\') || components.Any(c => c.TrimEnd('.', ' ').Length == 0 || DeviceNames.Contains(c.Split('.')[0].Trim().ToLowerInvariant())))
            throw Rejected(proto, $"external data location '{SafeText.Of(location)}' is not a plain relative path");
    }

    private void CheckPlace(TensorProto proto, string path)
    {
        string real = RealPath(path, proto);
        string modelReal = Path.GetDirectoryName(RealPath(Path.GetFullPath(modelPath), proto))!;
        if (!IsInside(real, RealPath(_directory, proto)) && !IsInside(real, modelReal))
            throw Rejected(proto, $"data file {SafeText.Of(path)} is a link to a place outside the model's directory");
        if (!Path.Exists(real))
            throw Rejected(proto, $"data file {SafeText.Of(path)} is a link to nothing");
        if (Directory.Exists(real))
            throw Rejected(proto, $"data file {SafeText.Of(path)} is a directory");
        if (!ModelFile.IsRegular(new FileInfo(real)))
            throw Rejected(proto, $"data file {SafeText.Of(path)} is not a regular file");
        if (UnixFileType.Names(real) is > 1 and var names)
            Suspect(proto, "SC3161", $"data file {SafeText.Of(path)} has {names} names: it is a hard link, and may be a file from elsewhere");
    }

    private static bool IsInside(string path, string directory) =>
        path.StartsWith(Path.TrimEndingDirectorySeparator(directory) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private string RealPath(string path, TensorProto proto) => InputFile.RealPath(path) ?? throw Rejected(proto, $"data file {SafeText.Of(path)} is a loop of links");

    private SamCompressException Rejected(TensorProto proto, string what) =>
        new(FailureKind.InputRejected, $"tensor '{SafeText.Of(proto.Name)}': {what}") { Location = modelPath };
}
