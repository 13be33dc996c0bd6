using SamCompress.IR;

namespace SamCompress.Runtime.Images;

/// <summary>Picture files in a fixed order, which depends on their names only.</summary>
public sealed class ImageSet
{
    private const int MaxFiles = 1_000_000;
    private const long MaxListBytes = 64 << 20;

    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png"];

    private ImageSet(string source, IReadOnlyList<string> paths)
    {
        Source = source;
        Paths = paths;
    }

    /// <summary>The folder, pattern or list that the set was made from, for messages.</summary>
    public string Source { get; }

    public IReadOnlyList<string> Paths { get; }

    /// <summary>
    /// Collects the pictures (.jpg, .jpeg, .png) of a folder with its subfolders, of a pattern (* and ? in the file name), of a list
    /// (.txt, a path on each line, relative to the list; # starts a comment), or one picture. In a folder or pattern, a map of
    /// objects (*.objects.png) is no picture. Order: ordinal, by path; that of a list is kept.
    /// </summary>
    /// <exception cref="SamCompressException">Missing, or no picture in it.</exception>
    public static ImageSet Open(string source)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        try
        {
            IReadOnlyList<string> paths = Find(source);
            if (paths.Count > 0)
                return new ImageSet(source, paths);
            throw Rejected(source, "holds no picture", $"put {string.Join(", ", Extensions)} files there");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SamCompressException(FailureKind.InputRejected, $"pictures: {SafeText.Of(e.Message)}", innerException: e) { Location = source };
        }
    }

    /// <summary>A set of the given files, in the given order.</summary>
    public static ImageSet Of(IEnumerable<string> paths) => new("list", [.. paths]);

    /// <summary>
    /// Takes pictures for calibration, and others, which calibration never sees, for validation. Both lie evenly over the set. The
    /// same set and numbers give the same split.
    /// </summary>
    /// <param name="validation">At most; fewer when not so many are left, even none.</param>
    /// <param name="allowFewer">Whether fewer pictures for calibration will do.</param>
    /// <exception cref="SamCompressException">Fewer pictures than <paramref name="calibration"/>.</exception>
    public (ImageSet Calibration, ImageSet Validation) Split(int calibration, int validation, bool allowFewer = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(calibration, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(validation);
        if (Paths.Count < calibration && !allowFewer)
            throw Rejected(Source, $"holds {Paths.Count} pictures, {calibration} are wanted for calibration", "give more pictures, or ask for fewer samples");
        calibration = Math.Min(calibration, Paths.Count);
        List<string> chosen = Spread(Paths, calibration);
        var taken = chosen.ToHashSet(StringComparer.Ordinal);
        List<string> rest = [.. Paths.Where(p => !taken.Contains(p))];
        return (new ImageSet(Source, chosen), new ImageSet(Source, Spread(rest, Math.Min(validation, rest.Count))));
    }

    private static List<string> Spread(IReadOnlyList<string> paths, int count) =>
        [.. Enumerable.Range(0, count).Select(i => paths[(int)((long)i * paths.Count / count)])];

    private static IReadOnlyList<string> Find(string source)
    {
        if (Directory.Exists(source))
            return Search(source, "*", SearchOption.AllDirectories);
        string name = Path.GetFileName(source);
        if (name.AsSpan().ContainsAny('*', '?'))
        {
            string folder = Path.GetDirectoryName(source) is { Length: > 0 } directory ? directory : ".";
            return Directory.Exists(folder) ? Search(folder, name, SearchOption.TopDirectoryOnly) : throw Rejected(folder, "not found");
        }

        if (!File.Exists(source))
            throw Rejected(source, "not found");
        return Path.GetExtension(source).Equals(".txt", StringComparison.OrdinalIgnoreCase) ? ReadList(source) : [source];
    }

    private static List<string> Search(string folder, string pattern, SearchOption depth)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = depth == SearchOption.AllDirectories,
            MatchType = MatchType.Simple,
            IgnoreInaccessible = false,
            AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
            // A link to a folder may lead around in a circle.
            MaxRecursionDepth = 32,
        };
        var paths = new List<string>();
        foreach (string path in Directory.EnumerateFiles(folder, pattern, options))
        {
            if (!Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase) || path.EndsWith(".objects.png", StringComparison.Ordinal))
                continue;
            if (paths.Count == MaxFiles)
                throw Rejected(folder, $"holds more than {MaxFiles} pictures");
            paths.Add(path);
        }

        paths.Sort((a, b) => string.CompareOrdinal(a.Replace('\\', '/'), b.Replace('\\', '/')));
        return paths;
    }

    private static List<string> ReadList(string list)
    {
        using var reader = new StreamReader(InputFile.Open(list, MaxListBytes));
        string folder = Path.GetDirectoryName(Path.GetFullPath(list))!;
        var paths = new List<string>();
        while (reader.ReadLine() is { } line)
        {
            string entry = line.Trim();
            if (entry.Length == 0 || entry[0] == '#')
                continue;
            string path = Path.Combine(folder, entry);
            if (!File.Exists(path))
                throw Rejected(list, $"names a picture that is not there: {SafeText.Of(entry)}");
            paths.Add(path);
        }

        return paths;
    }

    private static SamCompressException Rejected(string source, string what, string? hint = null) =>
        new(FailureKind.InputRejected, $"{SafeText.Of(source)}: {what}", hint) { Location = source };
}
