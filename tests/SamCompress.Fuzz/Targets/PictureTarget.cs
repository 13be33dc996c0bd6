using SamCompress.Cli;
using SamCompress.Runtime.Images;
using SamCompress.Testing;

namespace SamCompress.Fuzz.Targets;

/// <summary>Pictures: JPEG and PNG, damaged. The decoder behind our checks is native code.</summary>
internal static class PictureTarget
{
    private const int BiggestSeed = 64 << 10;

    private static readonly Lazy<IReadOnlyList<byte[]>> Seeds = new(() =>
    [
        .. Directory.GetFiles(Path.Combine(SkeletonModels.RepositoryRoot, "calibration"))
            .Where(f => Path.GetExtension(f) is ".jpg" or ".png" && new FileInfo(f).Length <= BiggestSeed).Order(StringComparer.Ordinal).Select(File.ReadAllBytes),
    ]);

    private static readonly Lazy<ImageLoader> Loader = new(() => new ImageLoader(null));

    public static FuzzTarget Create() => new("picture", (random, directory, context) =>
    {
        string path = Path.Combine(directory, random.Next(2) == 0 ? "a.jpg" : "a.png");
        File.WriteAllBytes(path, Mutator.Damage(Seeds.Value[random.Next(Seeds.Value.Count)], random));
        return CommandLine.Guard(context, json: false, () =>
        {
            Loader.Value.Decode(path).Dispose();
            return 0;
        });
    }, 0, 3);
}
