using SamCompress.IR;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests;

/// <summary>The graphs that exporters wrote: a skeleton, or with a slash in its name a model of <c>models</c>.</summary>
internal static class ExporterModels
{
    public static Model Open(string name) => IsSample(name) ? OnnxReader.Read(FilePath(name)) : SkeletonModels.Open(name);

    /// <summary>A file with weights.</summary>
    public static string FilePath(string name) =>
        IsSample(name) ? Path.Combine(SkeletonModels.RepositoryRoot, "models", name + ".onnx") : SkeletonModels.FilledPath(name);

    private static bool IsSample(string name) => name.Contains('/', StringComparison.Ordinal);
}
