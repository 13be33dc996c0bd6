using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Tests.Evaluation;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Prompts;

public sealed class TeacherPromptsTests : IDisposable
{
    private static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano");
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void The_sample_model_gets_every_kind_of_prompt()
    {
        IReadOnlyList<Prompt> prompts = OnScene(TeacherPrompts.Default);

        Assert.Equal(12, prompts.Count);
        Assert.Contains(prompts, p => p is { Points.Count: 1, MaskLogits: null });
        Assert.Contains(prompts, p => p.Points.Count == 2 && !p.Points[1].IsForeground);
        Assert.Contains(prompts, p => p is { Points.Count: 0, Box: not null });
        Assert.Contains(prompts, p => p.MaskLogits is { Length: 64 * 64 });
    }

    [Fact]
    public void The_same_picture_gives_the_same_prompts() => Assert.Equal(OnScene(TeacherPrompts.Default).Select(Text), OnScene(TeacherPrompts.Default).Select(Text));

    [Fact]
    public void Masks_that_are_nearly_the_same_are_used_once()
    {
        var all = new TeacherPrompts { MostPrompts = 1000, SameMaskIou = 1.1 };
        var distinct = new TeacherPrompts { MostPrompts = 1000, SameMaskIou = 0.2 };

        Assert.True(OnScene(distinct).Count < OnScene(all).Count);
    }

    /// <summary>
    /// The toy decoder's first mask is the two bright columns of four, whatever is asked: x from 8 to 16, y from 0 to 16. Low-resolution masks have 4 x 4
    /// pixels of a picture of 16 x 16, so the middle of the pixel (2, 0), the first of equally deep ones, is (10, 2), and that of (1, 0) beside it (6, 2).
    /// </summary>
    [Fact]
    public void Prompts_are_in_the_pixels_of_the_picture()
    {
        string path = Path.Combine(_directory.FullName, "decoder.onnx");
        ToyModels.SaveDecoder(path);
        using MaskDecoder decoder = MaskDecoder.Open(path);
        float[] columns = [.. Enumerable.Range(0, 16).Select(i => i % 4 < 2 ? -1f : 3f)];
        using RuntimeTensor embedding = RuntimeTensor.Of(columns, 1, 1, 4, 4);

        IReadOnlyList<Prompt> prompts = TeacherPrompts.Default.Of(decoder, new Dictionary<string, RuntimeTensor> { ["image_embeddings"] = embedding }, 16, 16);

        Assert.Equal(
            [
                "2,2+",
                "10,2+",
                "10,2+ 6,2-",
                "[8,0,16,16]",
            ],
            prompts.Select(Text));
    }

    [Fact]
    public void Without_a_mask_the_grid_must_do()
    {
        string path = Path.Combine(_directory.FullName, "decoder.onnx");
        ToyModels.SaveDecoder(path);
        using MaskDecoder decoder = MaskDecoder.Open(path);
        using RuntimeTensor embedding = RuntimeTensor.Of(new float[16], 1, 1, 4, 4);

        IReadOnlyList<Prompt> prompts = new TeacherPrompts { GridSide = 2 }.Of(decoder, new Dictionary<string, RuntimeTensor> { ["image_embeddings"] = embedding }, 16, 16);

        Assert.Equal(["4,4+", "12,4+", "4,12+", "12,12+"], prompts.Select(Text));
    }

    [Fact]
    public void A_mask_fed_back_changes_the_answer()
    {
        using var encoder = ImageEncoder.Open(Path.Combine(Nano, "encoder.onnx"));
        using var decoder = MaskDecoder.Open(Path.Combine(Nano, "decoder.onnx"));
        using var loader = new ImageLoader(encoder.Preprocessing);
        using EncoderImage image = loader.Load(Path.Combine(SkeletonModels.RepositoryRoot, "calibration", "scene_000.jpg"));
        using RuntimeTensors embeddings = encoder.Encode(image.Input, decoder.Interface.EncoderOutputs);
        Prompt point = Prompt.At(image.Width / 2.0, image.Height / 2.0);
        (MaskPrediction first, float[]? logits) = decoder.DecodeWithLogits(embeddings, image.Width, image.Height, point);

        MaskPrediction second = decoder.Decode(embeddings, image.Width, image.Height, point with { MaskLogits = logits });

        Assert.NotEqual(first.IouPredictions, second.IouPredictions);
    }

    private static IReadOnlyList<Prompt> OnScene(TeacherPrompts settings)
    {
        using var encoder = ImageEncoder.Open(Path.Combine(Nano, "encoder.onnx"));
        using var decoder = MaskDecoder.Open(Path.Combine(Nano, "decoder.onnx"));
        using var loader = new ImageLoader(encoder.Preprocessing);
        using EncoderImage image = loader.Load(Path.Combine(SkeletonModels.RepositoryRoot, "calibration", "scene_000.jpg"));
        using RuntimeTensors embeddings = encoder.Encode(image.Input, decoder.Interface.EncoderOutputs);
        return settings.Of(decoder, embeddings, image.Width, image.Height);
    }

    private static string Text(Prompt prompt) => string.Join(
        ' ',
        [
            .. prompt.Points.Select(p => FormattableString.Invariant($"{p.X},{p.Y}{(p.IsForeground ? "+" : "-")}")),
            .. prompt.Box is { } box ? [FormattableString.Invariant($"[{box.Left},{box.Top},{box.Right},{box.Bottom}]")] : (string[])[],
            .. prompt.MaskLogits is { } logits ? [FormattableString.Invariant($"mask {logits.Span[0]}")] : (string[])[],
        ]);
}
