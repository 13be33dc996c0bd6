using System.Globalization;
using SamCompress.Benchmarks.Quantization;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Segmentation;
using SamCompress.Testing;

namespace SamCompress.Benchmarks.Segmentation;

/// <summary>
/// <c>segment [--pictures DIR] [--count N] [--points-per-batch N] [--confident-logit X ...]</c>: everything in pictures whose objects are known, with the whole grid of points and in two rounds, with the sample model.
/// Each picture is segmented by all candidates in turn. The IoU of an object is that of the mask most like it.
/// </summary>
internal static class EverythingTable
{
    /// <summary>What the sample model's masks need: docs/segment.md says how these were found.</summary>
    private static readonly EverythingOptions Thresholds = new() { MinPredictedIou = 0.4, MinStability = 0.75, ConfidentLogit = 4 };

    /// <returns>The exit code.</returns>
    public static int Print(string[] arguments)
    {
        string pictures = Path.Combine(SkeletonModels.RepositoryRoot, "calibration");
        int count = int.MaxValue, batch = Thresholds.PointsPerBatch;
        var levels = new List<double>();
        for (int i = 0; i + 1 < arguments.Length; i += 2)
        {
            switch (arguments[i])
            {
                case "--pictures": pictures = arguments[i + 1]; break;
                case "--count": count = int.Parse(arguments[i + 1], CultureInfo.InvariantCulture); break;
                case "--points-per-batch": batch = int.Parse(arguments[i + 1], CultureInfo.InvariantCulture); break;
                case "--confident-logit": levels.Add(double.Parse(arguments[i + 1], CultureInfo.InvariantCulture)); break;
                default:
                    Console.Error.WriteLine($"no option '{arguments[i]}'; there are --pictures, --count, --points-per-batch, --confident-logit");
                    return 2;
            }
        }

        EverythingOptions basis = Thresholds with { PointsPerBatch = batch };
        Candidate[] candidates =
        [
            new("grid", basis with { IsHierarchical = false }),
            .. levels.DefaultIfEmpty(Thresholds.ConfidentLogit).Select(l => new Candidate(string.Create(CultureInfo.InvariantCulture, $"hierarchical, {l}"), basis with { ConfidentLogit = l })),
        ];
        string folder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano");
        using SegmentationModel model = SegmentationModel.Open(Path.Combine(folder, "encoder.onnx"), Path.Combine(folder, "decoder.onnx"));
        foreach (string path in ImageSet.Open(pictures).Paths.Where(p => File.Exists(ObjectMap(p))).Take(count))
        {
            using DecodedImage image = model.Load(path);
            IReadOnlyList<BinaryMask> objects = Objects(model, ObjectMap(path));
            foreach (Candidate candidate in candidates)
                candidate.Add(new EverythingSegmenter(model, candidate.Options).Segment(image), objects);
        }

        Print(candidates);
        return 0;
    }

    private static void Print(Candidate[] candidates)
    {
        var table = new Table("everything", "points", "pictures", "objects", "mean IoU", "masks a picture", "points a picture", "share of points", "confident", "s a picture", "decoder s", "share of time");
        Candidate grid = candidates[0];
        foreach (Candidate c in candidates)
        {
            table.Row(
                c.Name,
                c.Pictures.ToString(CultureInfo.InvariantCulture),
                c.Objects.ToString(CultureInfo.InvariantCulture),
                Table.Share(c.Ious / c.Objects),
                Table.Number(c.Masks / (double)c.Pictures, "0.0"),
                Table.Number(c.Points / (double)c.Pictures, "0"),
                Table.Number(c.Points / (double)grid.Points, "0.00"),
                Table.Number(c.Confident / c.Pictures, "0.00"),
                Table.Number(c.Seconds / c.Pictures, "0.00"),
                Table.Number(c.DecoderSeconds / c.Pictures, "0.00"),
                Table.Number(c.Seconds / grid.Seconds, "0.00"));
        }
    }

    private static string ObjectMap(string picture) => Path.ChangeExtension(picture, ".objects.png");

    /// <summary>The mask of each object: the value of a pixel is its number, 0 is none.</summary>
    private static IReadOnlyList<BinaryMask> Objects(SegmentationModel model, string map)
    {
        using DecodedImage image = model.Load(map);
        (byte[] pixels, int width, int height) = (image.Pixels.As<byte>()[..(image.Width * image.Height)].ToArray(), image.Width, image.Height);
        return [.. pixels.Distinct().Where(number => number != 0).Order().Select(number => BinaryMask.Where(width, height, (x, y) => pixels[(y * width) + x] == number))];
    }

    private sealed class Candidate(string name, EverythingOptions options)
    {
        public string Name { get; } = name;

        public EverythingOptions Options { get; } = options;

        public int Pictures { get; private set; }

        public int Objects { get; private set; }

        public double Ious { get; private set; }

        public int Masks { get; private set; }

        public int Points { get; private set; }

        public double Confident { get; private set; }

        public double Seconds { get; private set; }

        public double DecoderSeconds { get; private set; }

        public void Add(EverythingResult result, IReadOnlyList<BinaryMask> objects)
        {
            Pictures++;
            Objects += objects.Count;
            Ious += objects.Sum(o => result.Masks.Select(m => BinaryMask.Iou(m.Mask, o)).DefaultIfEmpty(0).Max());
            Masks += result.Masks.Count;
            Points += result.Points;
            Confident += result.ConfidentShare ?? 0;
            Seconds += result.Seconds;
            DecoderSeconds += result.DecoderSeconds;
        }
    }
}
