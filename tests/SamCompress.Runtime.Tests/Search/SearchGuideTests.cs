using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;
using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Search;
using SamCompress.Runtime.Tests.Evaluation;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Search;

/// <summary>
/// An encoder of two Linears over 16 positions, whose embedding of one channel is the mean of the hidden channels that the second one reads; the decoder of
/// <see cref="ToyModels"/> makes it the masks.
/// </summary>
public sealed class SearchGuideTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");
    private readonly MaskDecoder _decoder;
    private readonly EncoderImage _picture;

    public SearchGuideTests()
    {
        string path = Path.Combine(_directory.FullName, "decoder.onnx");
        ToyModels.SaveDecoder(path);
        _decoder = MaskDecoder.Open(path);
        var random = new Random(1);
        float[] pixels = [.. Enumerable.Range(0, 64).Select(_ => (4 * random.NextSingle()) - 2)];
        _picture = new EncoderImage("p", 64, 64, 64, 64, "", RuntimeTensor.Of(pixels, 1, 16, 4), []);
    }

    private SearchGuide Guide => new(_decoder, [_picture], SessionSettings.Default);

    public void Dispose()
    {
        _picture.Dispose();
        _decoder.Dispose();
        _directory.Delete(recursive: true);
    }

    /// <summary>The first candidate keeps a tenth of the range, the second all of it.</summary>
    [Fact]
    public void Rerank_takes_the_candidate_that_gives_the_better_masks()
    {
        using Model model = Encoder(_ => 0.125f);
        QuantizationGrid bad = QuantizationGrid.Affine(-0.2f, 0.2f, 0, 255), good = QuantizationGrid.Affine(-2, 2, 0, 255), coarse = QuantizationGrid.Affine(-2, 2, 0, 3);
        IReadOnlyDictionary<string, QuantizationGrid> chosen = Guide.Rerank(
            model, new Dictionary<string, IReadOnlyList<QuantizationGrid>> { ["X"] = [bad, good, coarse], ["R"] = [QuantizationGrid.Affine(0, 5, 0, 255), QuantizationGrid.Affine(0, 0.1f, 0, 255)] });
        Assert.Equal(good, chosen["X"]);
        Assert.Equal(QuantizationGrid.Affine(0, 5, 0, 255), chosen["R"]);
    }

    [Fact]
    public void Rerank_keeps_the_first_candidates_when_there_is_no_time()
    {
        using Model model = Encoder(_ => 0.125f);
        string before = ModelText.Print(model);
        QuantizationGrid bad = QuantizationGrid.Affine(-0.2f, 0.2f, 0, 255), good = QuantizationGrid.Affine(-2, 2, 0, 255);
        IReadOnlyDictionary<string, QuantizationGrid> chosen = Guide.Rerank(model, new Dictionary<string, IReadOnlyList<QuantizationGrid>> { ["X"] = [bad, good] }, until: () => true);
        Assert.Equal(bad, chosen["X"]);
        Assert.Equal(before, ModelText.Print(model));
    }

    /// <summary>The second Linear reads hidden channels 0 to 3 with a weight of 0.5, 4 to 7 with 0.05, 8 to 11 not at all; each group of probes is two of 16 channels.</summary>
    [Fact]
    public void Channels_that_are_read_are_more_sensitive_than_those_that_are_not()
    {
        using Model model = Encoder(k => k < 4 ? 0.5f : k < 8 ? 0.05f : k < 12 ? 0 : 0.5f);
        IReadOnlyDictionary<string, IReadOnlyList<float>> found = Guide.Sensitivities(model, Statistics(model));
        Assert.Equal(["M", "P"], found.Keys.Order());
        IReadOnlyList<float> hidden = found["P"];
        Assert.Equal(16, hidden.Count);
        Assert.All(hidden.Take(4), s => Assert.True(s > 0));
        Assert.Equal(hidden[0], hidden[1]);

        // Squared weights: a hundredth, but for the Relu and what the masks make of it.
        Assert.InRange(hidden.Skip(4).Take(4).Average() / hidden.Take(4).Average(), 0.003, 0.03);
        Assert.All(hidden.Skip(8).Take(4), s => Assert.Equal(0, s, 1e-9));
        Assert.True(found["M"][0] > 0);
    }

    private static CalibrationStatistics Statistics(Model model)
    {
        var random = new Random(2);
        CalibrationSample Sample() => new("p", new Dictionary<string, RuntimeTensor> { ["X"] = RuntimeTensor.Of([.. Enumerable.Range(0, 64).Select(_ => (4 * random.NextSingle()) - 2)], 1, 16, 4) });
        return new Calibrator().Run(
            model,
            [new ObservedValue("X", -1, 4, ObservationDetail.Rows), new ObservedValue("R", -1, 16, ObservationDetail.Rows)],
            [Sample(), Sample()],
            new CalibrationOrigin("", "", ""));
    }

    /// <param name="read">The weight with which the second Linear reads a hidden channel.</param>
    private static Model Encoder(Func<int, float> read)
    {
        Model model = ModelText.Parse("""
            g (float[1,16,4] X) => (float[1,1,4,4] image_embeddings)
            <float[1] V = {0}, float[1] W = {0}, int64[4] S = {1, 1, 4, 4}>
            {
                P = MatMul (X, V)
                R = Relu (P)
                M = MatMul (R, W)
                image_embeddings = Reshape (M, S)
            }
            """, 17);
        var random = new Random(3);
        Set("V", [.. Enumerable.Range(0, 4 * 16).Select(_ => (2 * random.NextSingle()) - 1)], 4, 16);
        Set("W", [.. Enumerable.Range(0, 16).Select(read)], 16, 1);
        ShapeInference.Infer(model);
        return model;

        void Set(string name, float[] elements, params ReadOnlySpan<long> shape)
        {
            Value value = model.Graph.Initializers.Single(v => v.Name == name);
            value.Shape = Shape.Of(shape);
            model.Graph.SetInitializer(value, Tensor.Of(elements, shape));
        }
    }
}
