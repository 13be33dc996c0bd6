using System.Reflection;

namespace SamCompress.Passes;

/// <summary>JSON files of one kind that are built in, or of a user's own.</summary>
/// <param name="prefix">The folder of the built-in ones.</param>
/// <param name="kind">For messages, for example <c>target</c>.</param>
internal sealed class ShippedData(string prefix, string kind)
{
    private const string Extension = ".json";

    /// <summary>The names of those that are built in, in order.</summary>
    public IReadOnlyList<string> Names { get; } =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(n => n.StartsWith(prefix, StringComparison.Ordinal))
            .Select(n => Path.GetFileNameWithoutExtension(n[prefix.Length..])).Order(StringComparer.Ordinal)];

    /// <summary>Opens a built-in file by name, or one of a path that ends in .json.</summary>
    /// <exception cref="SamCompressException">There is none of that name.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public Stream Open(string nameOrPath) =>
        (nameOrPath.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) ? File.OpenRead(nameOrPath) : Assembly.GetExecutingAssembly().GetManifestResourceStream(prefix + nameOrPath + Extension))
        ?? throw new SamCompressException(FailureKind.Usage, $"no {kind} '{nameOrPath}'", $"one of {string.Join(", ", Names)}, or a {Extension} file");
}
