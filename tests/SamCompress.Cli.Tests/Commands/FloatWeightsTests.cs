using SamCompress.IR;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

/// <summary><c>quantize -p fp16</c> and <c>-p fp32</c>: no calibration, the same proof by masks.</summary>
public sealed class FloatWeightsTests : IDisposable
{
    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("fp16", 0.4, 0.6)]
    [InlineData("fp32", 0.8, 1.2)]
    public void Masks_are_kept(string precision, double least, double most)
    {
        string pictures = Directory.CreateDirectory(_directory.File("pictures")).FullName;
        for (int i = 0; i < 2; i++)
            File.Copy(Path.Combine(SkeletonModels.RepositoryRoot, "calibration", $"scene_00{i}.jpg"), Path.Combine(pictures, $"{i}.jpg"));
        string decoder = Path.Combine(Path.GetDirectoryName(Nano)!, "decoder.onnx");
        CommandRun run = CommandRun.Of("quantize", Nano, "-o", _directory.File("out.onnx"), "-p", precision, "--calibration-data", pictures, "--decoder", decoder, "--format", "json", "-q");

        Assert.Equal(0, run.ExitCode);
        Assert.InRange(run.Json.GetProperty("sizeRatio").GetDouble(), least, most);
        Assert.InRange(run.Json.GetProperty("quality").GetProperty("meanIou").GetDouble(), 0.99, 1);
        using Model model = OnnxReader.Read(_directory.File("out.onnx"));
        Assert.DoesNotContain(KernelReport.Read(_directory.File("out.onnx")).Counts, k => k.OpType == "Cast");
        Assert.Equal(precision, model.Metadata.First(m => m.Key == "dev.samcompress.precision").Value);
    }

    [Fact]
    public void Commands_that_calibrate_do_not_know_them() =>
        Assert.Equal(2, CommandRun.Of("calibrate", Nano, "-p", "fp16").ExitCode);
}
