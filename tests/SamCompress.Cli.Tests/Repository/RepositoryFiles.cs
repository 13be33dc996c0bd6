using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Repository;

/// <summary>The files of the clone that the tests were built from.</summary>
internal static class RepositoryFiles
{
    public static string Root => SkeletonModels.RepositoryRoot;

    /// <summary>The files below a folder of the repository, build output left out, in ordinal order, relative to the root.</summary>
    public static IReadOnlyList<string> Below(string folder, string pattern)
    {
        return
        [
            .. Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
                .Where(path => !path.Split('/').Any(part => part is "bin" or "obj"))
                .Order(StringComparer.Ordinal),
        ];
    }

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));
}
