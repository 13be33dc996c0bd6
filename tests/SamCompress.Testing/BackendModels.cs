using Xunit;

namespace SamCompress.Testing;

/// <summary>The ONNX backend test models of Debian's package libonnx-testdata.</summary>
public static class BackendModels
{
    public const string Folder = "/usr/share/libonnx-testdata/data";

    /// <summary>How many models the package has had; a newer one may have more.</summary>
    public const int KnownCount = 1072;

    /// <summary>In stable order.</summary>
    public static IReadOnlyList<string> Paths { get; } =
        Directory.Exists(Folder) ? [.. Directory.EnumerateFiles(Folder, "model.onnx", SearchOption.AllDirectories).Order(StringComparer.Ordinal)] : [];
}

/// <summary>A test over the backend models, skipped where they are not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BackendModelsFactAttribute : FactAttribute
{
    public BackendModelsFactAttribute()
    {
        if (BackendModels.Paths.Count == 0)
            Skip = $"{BackendModels.Folder} is not there: install the package libonnx-testdata";
    }
}
