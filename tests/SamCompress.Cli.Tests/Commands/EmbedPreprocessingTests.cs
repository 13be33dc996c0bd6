using System.Text.Json;
using SamCompress.IR;
using SamCompress.Runtime.Images;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

/// <summary>What <c>--embed-preprocessing</c> delivers; that it computes the same is tested beside the graphs, and by every run.</summary>
public sealed class EmbedPreprocessingTests : IDisposable
{
    private static readonly string Folder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano");
    private static readonly string Nano = Path.Combine(Folder, "encoder.onnx");
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_quantized_encoder_takes_files()
    {
        CommandRun run = CommandRun.Of("quantize", Nano, "-o", _directory.File("out.onnx"), "--samples", "2", "--embed-preprocessing", "file", "--format", "json", "-q");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(["out.onnx", "out.report.html", "out.report.json", "out.report.md"], _directory.Names);
        JsonElement preprocessing = run.Json.GetProperty("preprocessing");
        Assert.Equal("file", preprocessing.GetProperty("takes").GetString());
        Assert.Equal(2, preprocessing.GetProperty("pictures").GetInt32());
        Assert.InRange(preprocessing.GetProperty("largestDifference").GetDouble(), 0, 1e-3);
        Assert.Equal(JsonValueKind.Number, run.Json.GetProperty("quality").GetProperty("meanIou").ValueKind);
        Assert.Equal(new FileInfo(_directory.File("out.onnx")).Length, run.Json.GetProperty("artifact").GetProperty("bytes").GetInt64());
        using Model model = OnnxReader.Read(_directory.File("out.onnx"));
        Assert.Equal(["file"], model.Graph.Inputs.Select(i => i.Name));
        Assert.Equal("file", Metadata(model)[ImageMetadata.Preprocessing]);
        Assert.DoesNotContain(ImageMetadata.Mean, Metadata(model).Keys);
        Assert.Equal(0, CommandRun.Of("check", _directory.File("out.onnx")).ExitCode);
    }

    [Fact]
    public void An_optimized_encoder_takes_pixels()
    {
        CommandRun run = CommandRun.Of("optimize", Nano, "-o", _directory.File("out.onnx"), "--external-data", "always", "--embed-preprocessing", "pixels", "-q");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("the encoder takes RGB pixels of any size", run.Out, StringComparison.Ordinal);
        Assert.Equal(["out.onnx", "out.onnx.data"], _directory.Names);
        using Model model = OnnxReader.Read(_directory.File("out.onnx"));
        Assert.Equal("[H,W,3]", Assert.Single(model.Graph.Inputs).Shape!.ToString());
        Assert.Equal("Rgb8", Metadata(model)[ImageMetadata.PixelFormat]);
    }

    [Fact]
    public void An_encoder_that_takes_tensors_says_how_to_make_them()
    {
        Assert.Equal(0, CommandRun.Of("optimize", Nano, "-o", _directory.File("out.onnx"), "-q").ExitCode);
        using Model model = OnnxReader.Read(_directory.File("out.onnx"));
        Dictionary<string, string> metadata = Metadata(model);
        Assert.Equal("Rgb8", metadata[ImageMetadata.PixelFormat]);
        Assert.Equal("NominalRange_0_255", metadata[ImageMetadata.Range]);
        Assert.Equal("123.675,116.28,103.53", metadata[ImageMetadata.Mean]);
        Assert.Equal("58.395,57.12,57.375", metadata[ImageMetadata.Std]);
    }

    [Fact]
    public void A_decoder_has_no_preprocessing()
    {
        string decoder = Path.Combine(Folder, "decoder.onnx");
        Assert.Equal(4, CommandRun.Of("optimize", decoder, "-o", _directory.File("out.onnx"), "--embed-preprocessing", "file", "-q").ExitCode);
        Assert.Equal(2, CommandRun.Of("quantize", decoder, "--encoder", Nano, "-o", _directory.File("out.onnx"), "--embed-preprocessing", "file", "-q").ExitCode);
        Assert.Empty(_directory.Names);
    }

    private static Dictionary<string, string> Metadata(Model model) => model.Metadata.ToDictionary(StringComparer.Ordinal);
}
