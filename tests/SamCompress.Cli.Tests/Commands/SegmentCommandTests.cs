using System.Text.Json;
using SamCompress.IR;
using SamCompress.Runtime.Images;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

public sealed class SegmentCommandTests : IDisposable
{
    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    private static readonly string Decoder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "decoder.onnx");
    private static readonly string Scene = Path.Combine(SkeletonModels.RepositoryRoot, "calibration", "scene_000.jpg");
    private static readonly string[] Few = ["--points-per-side", "8", "--min-predicted-iou", "0.4", "--min-stability", "0.7", "--confident-logit", "3.5"];
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Points_and_boxes_give_a_mask_each()
    {
        string file = _directory.File("masks.png");
        CommandRun run = CommandRun.Of("segment", Nano, Scene, "--point", "160,120:10,10,0", "--point", "60.5,80", "--box", "20,20,100,110", "-o", file, "--format", "json", "-q");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(1, run.Json.GetProperty("schemaVersion").GetInt32());
        Assert.Equal(3, run.Json.GetProperty("masks").GetArrayLength());
        Assert.Equal("prompts", run.Json.GetProperty("model").GetProperty("mode").GetString());
        Assert.Equal(["masks.png"], _directory.Names);
        using var images = new ImageLoader(preprocessing: null);
        using DecodedImage overlay = images.Decode(file);
        Assert.Equal((320, 240), (overlay.Width, overlay.Height));
    }

    /// <summary>All outputs agree: the record, the masks as pictures, and the report.</summary>
    [Fact]
    public void Everything_is_written_into_a_directory()
    {
        string folder = _directory.File("out");
        CommandRun run = CommandRun.Of(["segment", "-m", Nano, Scene, "--output-dir", folder, "--rle", "counts", "--format", "json", "-q", .. Few]);

        Assert.Equal(0, run.ExitCode);
        JsonElement model = run.Json.GetProperty("model");
        Assert.Equal(("hierarchical", 4), (model.GetProperty("mode").GetString(), model.GetProperty("coarsePoints").GetInt32()));
        JsonElement[] reported = [.. run.Json.GetProperty("masks").EnumerateArray()];
        Assert.NotEmpty(reported);
        JsonElement record = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "masks.json"))).RootElement;
        Assert.Equal("scene_000.jpg", record.GetProperty("image").GetProperty("file_name").GetString());
        JsonElement[] annotations = [.. record.GetProperty("annotations").EnumerateArray()];
        Assert.Equal(reported.Length, annotations.Length);
        Assert.Equal(reported.Length + 2, Directory.GetFiles(folder).Length);
        using var images = new ImageLoader(preprocessing: null);
        for (int i = 0; i < annotations.Length; i++)
        {
            int[] counts = [.. annotations[i].GetProperty("segmentation").GetProperty("counts").EnumerateArray().Select(c => c.GetInt32())];
            Assert.Equal([240, 320], annotations[i].GetProperty("segmentation").GetProperty("size").EnumerateArray().Select(c => c.GetInt32()));
            Assert.Equal(320 * 240, counts.Sum());
            long area = counts.Where((_, k) => k % 2 == 1).Sum();
            Assert.Equal(area, annotations[i].GetProperty("area").GetInt64());
            Assert.Equal(area, reported[i].GetProperty("area").GetInt64());
            using DecodedImage mask = images.Decode(Path.Combine(folder, $"mask_{i:000}.png"));
            Assert.Equal(area, mask.Pixels.As<byte>()[..(320 * 240)].ToArray().Count(p => p == 255));
        }
    }

    [Fact]
    public void A_directory_that_is_not_empty_is_replaced_only_when_asked()
    {
        string[] command = ["segment", Nano, Scene, "--point", "160,120", "--output-dir", _directory.Path, "-q"];
        _directory.Write("mask_007.png", "of an earlier run");
        _directory.Write("notes.txt", "mine");

        Assert.Equal(5, CommandRun.Of(command).ExitCode);
        Assert.Equal(["mask_007.png", "notes.txt"], _directory.Names);
        Assert.Equal(0, CommandRun.Of([.. command, "--overwrite"]).ExitCode);
        Assert.Equal(["mask_000.png", "masks.json", "notes.txt", "overlay.png"], _directory.Names);
        Assert.Contains("\"counts\": \"", File.ReadAllText(_directory.File("masks.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_agrees_with_itself_and_less_with_another()
    {
        string file = _directory.File("compared.png");
        CommandRun same = CommandRun.Of(["segment", Nano, Scene, "--reference", Nano, "-o", file, "--format", "json", "-q", .. Few]);
        JsonElement comparison = same.Json.GetProperty("reference");
        Assert.Equal((1.0, 1.0, 0), (comparison.GetProperty("meanIou").GetDouble(), comparison.GetProperty("minIou").GetDouble(), comparison.GetProperty("extraMasks").GetInt32()));

        CommandRun other = CommandRun.Of(
            "segment", Changed(), Scene, "--decoder", Decoder, "--reference", Nano, "--point", "160,120", "-o", file, "--overwrite", "--format", "json", "-q");
        Assert.InRange(other.Json.GetProperty("reference").GetProperty("meanIou").GetDouble(), 0, 0.9999);
        using var images = new ImageLoader(preprocessing: null);
        using DecodedImage panels = images.Decode(file);
        Assert.Equal(((3 * 320) + 8, 240), (panels.Width, panels.Height));
    }

    [Fact]
    public void The_text_says_what_was_dropped()
    {
        CommandRun run = CommandRun.Of("segment", Nano, Scene, "--everything", "grid", "--points-per-side", "2", "-o", _directory.File("m.png"), "-q");

        Assert.Equal(0, run.ExitCode);
        string[] lines = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("masks      0 in 320 x 240 pixels, 4 points decoded, in ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("proposals  12, 0 of enough predicted IoU (best 0.", lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("segment needs a MODEL and a PICTURE.", "segment", "MODEL")]
    [InlineData("The model is given twice: as MODEL and by --model.", "segment", "MODEL", "PICTURE", "-m", "MODEL")]
    [InlineData("'1' is no value of --point: write X,Y or X,Y,1 for the object and X,Y,0 for what is not part of it.", "segment", "MODEL", "PICTURE", "--point", "1")]
    [InlineData("'1,2,0' is no value of --point: write X,Y or X,Y,1 for the object and X,Y,0 for what is not part of it.", "segment", "MODEL", "PICTURE", "--point", "1,2,0")]
    [InlineData("'5,5,5,9' is no value of --box: write four numbers: left, top, right, bottom.", "segment", "MODEL", "PICTURE", "--box", "5,5,5,9")]
    [InlineData("'all' is no value of --everything: use one of hierarchical, grid.", "segment", "MODEL", "PICTURE", "--everything", "all")]
    [InlineData("--everything is for segmenting everything: leave out --point and --box.", "segment", "MODEL", "PICTURE", "--everything", "--point", "1,2")]
    [InlineData("--crop-layers is for --everything grid: two rounds see the whole picture.", "segment", "MODEL", "PICTURE", "--crop-layers", "1")]
    [InlineData("--output writes one picture and --output-dir a directory: give one of them.", "segment", "MODEL", "PICTURE", "-o", "a.png", "--output-dir", "b")]
    [InlineData("--reference-decoder needs --reference.", "segment", "MODEL", "PICTURE", "--reference-decoder", "a.onnx")]
    public void Wrong_options_are_refused(string message, params string[] args)
    {
        CommandRun run = CommandRun.Of([.. args.Select(a => a == "MODEL" ? Nano : a == "PICTURE" ? Scene : a)]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    /// <summary>The sample model with its largest weights halved.</summary>
    private string Changed()
    {
        using Model model = OnnxReader.Read(Nano);
        Value largest = model.Graph.Initializers.MaxBy(i => i.Initializer!.Count)!;
        model.Graph.SetInitializer(largest, Tensor.Of(Array.ConvertAll(largest.Initializer!.ToArray<float>(), w => w / 2), [.. largest.Initializer.Dimensions]));
        OnnxWriter.Save(model, _directory.File("changed.onnx"));
        return _directory.File("changed.onnx");
    }

    [Fact]
    public void Points_outside_the_picture_are_refused_before_anything_is_written()
    {
        CommandRun run = CommandRun.Of("segment", Nano, Scene, "--point", "321,10", "-o", _directory.File("m.png"), "-q");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("321,10 lies outside the picture, which has 320 x 240 pixels", run.Error, StringComparison.Ordinal);
        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void A_picture_with_the_name_of_a_mask_is_not_replaced()
    {
        string picture = _directory.File("mask_000.png");
        File.Copy(Path.ChangeExtension(Scene, ".objects.png"), picture);
        CommandRun run = CommandRun.Of("segment", Nano, picture, "--point", "1,1", "--output-dir", _directory.Path, "--overwrite", "-q");
        Assert.Equal(2, run.ExitCode);
        Assert.Equal(["mask_000.png"], _directory.Names);
    }

    [Fact]
    public void A_picture_that_is_none_is_rejected()
    {
        CommandRun run = CommandRun.Of("segment", Nano, _directory.Write("notes.txt", "no picture"), "-o", _directory.File("m.png"), "-q");
        Assert.Equal(3, run.ExitCode);
        Assert.Equal(["notes.txt"], _directory.Names);
    }
}
