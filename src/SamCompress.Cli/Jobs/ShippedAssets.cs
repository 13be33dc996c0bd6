using System.Text.Json;

namespace SamCompress.Cli.Jobs;

/// <summary>The sample model and the default calibration pictures, which lie beside the tool or in the repository that it was built in.</summary>
internal sealed class ShippedAssets
{
    private const string Manifest = "manifest.json";

    private ShippedAssets(string root) => Root = root;

    public string Root { get; }

    public string CalibrationFolder => Path.Combine(Root, "calibration");

    /// <summary>Null where the tool was installed without them.</summary>
    public static ShippedAssets? Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "calibration", Manifest)))
                return new ShippedAssets(folder.FullName);
        }

        return null;
    }

    /// <summary>Whether a file is one of the sample models, by its SHA-256.</summary>
    public bool IsSampleModel(string sha256)
    {
        string models = Path.Combine(Root, "models");
        return Directory.Exists(models) && Directory.EnumerateDirectories(models).Any(folder => Hashes(Path.Combine(folder, Manifest)).Contains(sha256));
    }

    private static IEnumerable<string?> Hashes(string manifest)
    {
        if (!File.Exists(manifest))
            return [];
        using var json = JsonDocument.Parse(File.ReadAllBytes(manifest));
        return [.. json.RootElement.GetProperty("files").EnumerateArray().Select(f => f.GetProperty("sha256").GetString())];
    }
}
