using System.Text;
using SamCompress.Cli;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Testing;

namespace SamCompress.Fuzz.Targets;

/// <summary>Files of text that the program reads: recipes, descriptions of targets, statistics of calibrations, graphs as text.</summary>
internal static class TextTargets
{
    private static readonly Lazy<IReadOnlyList<byte[]>> Recipes = new(() => Files("recipes"));
    private static readonly Lazy<IReadOnlyList<byte[]>> Descriptions = new(() => Files("targets"));
    private static readonly Lazy<byte[]> Cache = new(SerializedCache);

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("recipe", (random, directory, context) => CommandLine.Run(["compress", Model(directory), "--recipe", Damaged(Recipes.Value, random, directory)], context), 2, 3, 4),
        new("target", (random, directory, context) => CommandLine.Run(["quantize", Model(directory), "--target", Damaged(Descriptions.Value, random, directory)], context), 2, 3, 4),
        new("cache", (random, directory, context) =>
        {
            string path = Damaged([Cache.Value], random, directory);
            return CommandLine.Guard(context, json: false, () =>
            {
                using FileStream file = File.OpenRead(path);
                CalibrationStatistics statistics = CalibrationCache.Read(file, path);
                CalibrationCache.Validate(statistics, path, "model", "version", null);
                return 0;
            });
        }, 0, 3),
    ];

    private static byte[][] Files(string folder) =>
        [.. Directory.GetFiles(Path.Combine(SkeletonModels.RepositoryRoot, folder), "*.json").Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];

    private static string Damaged(IReadOnlyList<byte[]> seeds, Random random, string directory)
    {
        string path = Path.Combine(directory, "damaged.json");
        File.WriteAllBytes(path, Mutator.Damage(seeds[random.Next(seeds.Count)], random, isText: true));
        return path;
    }

    /// <summary>No model at all, so that a description which is accepted leads nowhere.</summary>
    private static string Model(string directory)
    {
        string path = Path.Combine(directory, "m.onnx");
        File.WriteAllText(path, "nonsense", Encoding.ASCII);
        return path;
    }

    private static byte[] SerializedCache()
    {
        var histogram = new ValueHistogram();
        histogram.Add([-1, -0.5f, 0, 0.25f, 1]);
        var value = new ValueStatistics
        {
            Name = "a",
            ChannelAxis = -1,
            ChannelMin = [-1, 0],
            ChannelMax = [0.25f, 1],
            ChannelMean = [-0.1, 0.5],
            PictureMin = new Moments(-1, 1),
            PictureMax = new Moments(1, 1),
            Histogram = histogram,
            Samples = new ActivationSamples(2, [1, 2, 3, 4], [1, 1], [1, 0, 0, 1], [0, 0]),
        };
        using var stream = new MemoryStream();
        CalibrationCache.Write(new CalibrationStatistics { ModelHash = "model", ToolVersion = "version", PictureSetHash = "set", PictureCount = 1, Values = [value] }, stream);
        return stream.ToArray();
    }
}
