using System.Text.Json;
using SamCompress.IR;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

/// <summary>Encoder and decoder quantized in one go, from pictures to two artifacts and one report.</summary>
public sealed class QuantizeWithDecoderTests(QuantizeWithDecoderTests.Pair pair) : IClassFixture<QuantizeWithDecoderTests.Pair>
{
    private static readonly string Encoder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    private static readonly string Decoder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "decoder.onnx");
    private static readonly string Pictures = Path.Combine(SkeletonModels.RepositoryRoot, "calibration");

    [Fact]
    public void Both_artifacts_and_one_report_are_left()
    {
        Assert.Equal(0, pair.Run.ExitCode);
        Assert.Equal(["decoder.w8a8.onnx", "e.onnx", "e.report.html", "e.report.json", "e.report.md"], pair.Directory.Names);
        Assert.Equal(pair.Directory.Names, pair.Run.Json.GetProperty("files").EnumerateArray().Select(f => Path.GetFileName(f.GetString())!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_report_has_figures_with_either_decoder()
    {
        JsonElement report = pair.Run.Json, decoder = report.GetProperty("decoder");

        Assert.InRange(report.GetProperty("quality").GetProperty("meanIou").GetDouble(), 0.95, 1);
        Assert.InRange(decoder.GetProperty("quality").GetProperty("meanIou").GetDouble(), 0.93, 1);
        Assert.NotEqual(report.GetProperty("quality").GetProperty("meanIou").GetDouble(), decoder.GetProperty("quality").GetProperty("meanIou").GetDouble());
        Assert.InRange(decoder.GetProperty("sizeRatio").GetDouble(), 0.25, 0.4);
        Assert.InRange(decoder.GetProperty("prompts").GetInt32(), 4, 4 * 12);
        Assert.Equal("w8a8", report.GetProperty("options").GetProperty("decoderPrecision").GetString());
        Assert.Contains("| measure | encoder quantized, decoder float | both quantized |", File.ReadAllText(pair.Directory.File("e.report.md")), StringComparison.Ordinal);
    }

    /// <summary>All but the positional code of points, which has two inputs.</summary>
    [Fact]
    public void Its_linears_convolutions_and_deconvolutions_run_as_integers()
    {
        JsonElement[] layers = [.. pair.Run.Json.GetProperty("decoder").GetProperty("layers").EnumerateArray()];

        JsonElement other = Assert.Single(layers, l => !l.GetProperty("integerKernel").GetBoolean());
        Assert.Equal("/MatMul", other.GetProperty("name").GetString());
        Assert.Equal(2, layers.Count(l => l.GetProperty("name").GetString()!.Contains("ConvTranspose", StringComparison.Ordinal)));
        Assert.Equal(3, layers.Count(l => l.GetProperty("kind").GetString() == "conv"));
    }

    [Fact]
    public void Every_quantizer_of_both_is_shown_to_act()
    {
        JsonElement encoder = pair.Run.Json.GetProperty("quantizers"), decoder = pair.Run.Json.GetProperty("decoder").GetProperty("quantizers");

        Assert.Equal((27, 27, 27, 27), Counts(encoder));
        Assert.Equal((44, 44, 52, 52), Counts(decoder));
        Assert.All([encoder, decoder], p => Assert.Empty(p.GetProperty("dead").EnumerateArray()));
        Assert.Contains("27 of 27 activations, 27 of 27 weights", File.ReadAllText(pair.Directory.File("e.report.md")), StringComparison.Ordinal);

        static (int, int, int, int) Counts(JsonElement proof) =>
            (proof.GetProperty("activations").GetInt32(), proof.GetProperty("actingActivations").GetInt32(), proof.GetProperty("weights").GetInt32(), proof.GetProperty("actingWeights").GetInt32());
    }

    /// <summary>The scale of one activation is made a million times too large, as by a unit that was mistaken.</summary>
    [Fact]
    public void A_quantizer_that_is_broken_afterwards_is_found_by_name()
    {
        using Model artifact = OnnxReader.Read(pair.Directory.File("e.onnx"));
        using var loader = new ImageLoader(new Preprocessing(256, PixelLayout.ChannelsFirst));
        EncoderImage image = loader.Load(Path.Combine(Pictures, "scene_000.jpg"));
        string input = artifact.Graph.Inputs[0].Name;

        QuantizerProofResult proof = new QuantizerProof().Run(Broken, plan: null, [new CalibrationSample(image.Path, new Dictionary<string, RuntimeTensor> { [input] = image.Input })]);

        DeadQuantizer dead = Assert.Single(proof.Dead);
        Assert.Equal(Target(artifact).Input(0)!.Name, dead.Name);
        Assert.StartsWith("all values seen fall on one code", dead.Reason, StringComparison.Ordinal);
        Assert.Equal((27, 26), (proof.Activations, proof.ActingActivations));

        // Of a projection, behind which the residual goes on: no other quantizer falls silent with it.
        static Node Target(Model model) => model.Graph.Nodes.Where(n => n.OpType == "QuantizeLinear").ElementAt(6);

        Model Broken()
        {
            Model model = OnnxReader.Read(pair.Directory.File("e.onnx"));
            Value scale = Target(model).Input(1)!;
            model.Graph.SetInitializer(scale, Tensor.Scalar((float)(scale.Constant!.ScalarOrNull()!.Value * 1e6)));
            return model;
        }
    }

    [Fact]
    public void The_artifact_says_what_it_was_made_behind()
    {
        using Model decoder = OnnxReader.Read(pair.Directory.File("decoder.w8a8.onnx"));

        Assert.Contains(decoder.Metadata, m => m.Key == "dev.samcompress.encoder-sha256" && m.Value == pair.Run.Json.GetProperty("artifact").GetProperty("sha256").GetString());
    }

    [Fact]
    public void Evaluation_takes_the_decoder_of_the_student()
    {
        string[] command = ["evaluate", pair.Directory.File("e.onnx"), "--reference", Encoder, "--data", Pictures, "--samples", "2", "--format", "json", "-q"];
        JsonElement shared = CommandRun.Of(command).Json, own = CommandRun.Of([.. command, "--student-decoder", pair.Directory.File("decoder.w8a8.onnx")]).Json;

        Assert.Equal(shared.GetProperty("embeddingCosine").GetDouble(), own.GetProperty("embeddingCosine").GetDouble());
        Assert.NotEqual(shared.GetProperty("meanIou").GetDouble(), own.GetProperty("meanIou").GetDouble());
        Assert.InRange(own.GetProperty("meanIou").GetDouble(), 0.9, 1);
        Assert.Equal(pair.Directory.File("decoder.w8a8.onnx"), own.GetProperty("studentDecoder").GetString());
    }

    [Fact]
    public void An_encoder_is_no_decoder_of_a_student() => Assert.Equal(4, CommandRun.Of(
        "evaluate", Encoder, "--reference", Encoder, "--data", Pictures, "--samples", "1", "--student-decoder", Encoder, "-q").ExitCode);

    [Fact]
    public void The_same_run_gives_the_same_bytes()
    {
        using var again = new TemporaryDirectory();
        Assert.Equal(0, Pair.Quantize(again).ExitCode);

        Assert.Equal(File.ReadAllBytes(pair.Directory.File("decoder.w8a8.onnx")), File.ReadAllBytes(again.File("decoder.w8a8.onnx")));
    }

    [Fact]
    public void An_existing_decoder_is_refused_before_the_work()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("decoder.w8a8.onnx", "old");

        CommandRun run = Pair.Quantize(directory);

        Assert.Equal(5, run.ExitCode);
        Assert.Equal(["decoder.w8a8.onnx"], directory.Names);
        Assert.Equal("old", File.ReadAllText(directory.File("decoder.w8a8.onnx")));
    }

    /// <summary>The decoder is missed at the very end of the encoder's work: nothing of it may stay either.</summary>
    [Fact]
    public void Without_pictures_for_the_decoder_nothing_is_written()
    {
        using var directory = new TemporaryDirectory();
        string model = directory.File("mine_encoder.onnx"), cache = directory.File("cache");
        File.Copy(Decoder, directory.File("mine_decoder.onnx"));
        using (Model sample = OnnxReader.Read(Encoder))
        {
            sample.SetMetadata("mine", "yes");
            OnnxWriter.Save(sample, model);
        }

        Assert.Equal(0, CommandRun.Of("calibrate", model, "-o", cache, "--calibration-data", Pictures, "--samples", "1", "-q").ExitCode);
        CommandRun run = CommandRun.Of("quantize", model, "--calibration-cache", cache, "--decoder-precision", "w8a8", "-q");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--calibration-data", run.Error, StringComparison.Ordinal);
        Assert.Equal(["cache", "mine_decoder.onnx", "mine_encoder.onnx"], directory.Names);
    }

    [Fact]
    public void An_encoder_without_a_decoder_is_refused_before_the_work()
    {
        using var directory = new TemporaryDirectory();
        File.Copy(Encoder, directory.File("encoder.onnx"));

        CommandRun run = CommandRun.Of("quantize", directory.File("encoder.onnx"), "--decoder-precision", "w8a8", "--calibration-data", Pictures, "-q");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--decoder FILE", run.Error, StringComparison.Ordinal);
        Assert.Equal(["encoder.onnx"], directory.Names);
    }

    [Fact]
    public void A_decoder_alone_takes_no_precision_of_a_second_one() =>
        Assert.Equal(2, CommandRun.Of("quantize", Decoder, "--encoder", Encoder, "--decoder-precision", "w8a8", "-q").ExitCode);

    public sealed class Pair : IDisposable
    {
        public Pair() => Run = Quantize(Directory);

        internal TemporaryDirectory Directory { get; } = new();

        internal CommandRun Run { get; }

        public void Dispose() => Directory.Dispose();

        internal static CommandRun Quantize(TemporaryDirectory directory) => CommandRun.Of(
            "quantize", Encoder, "-o", directory.File("e.onnx"), "--calibration-data", Pictures, "--samples", "4", "--decoder-precision", "w8a8", "--format", "json", "-q");
    }
}
