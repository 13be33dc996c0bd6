using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Pruning.Importance;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Tests.Images;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Training;

public sealed class ImportanceGradientsTests
{
    /// <summary>
    /// Four hidden channels: the first works, the second is never above zero, the third is not read, the fourth is read a tenth as strongly as the first.
    /// </summary>
    private const string Encoder = """
        encoder (float[1,3,16,16] image) => (float[1,2,4,4] embedding)
        <float[4,3,4,4] w1, float[4] b1 = {1, -1000, 1, 1}, float[2,4,1,1] w2 = {1, 1, 0, 0.1, -1, 1, 0, 0.1}>
        {
            x = Conv <strides = [4, 4]> (image, w1, b1)
            h = Relu (x)
            embedding = Conv (h, w2)
        }
        """;

    [Theory]
    [InlineData(ImportanceCriteria.DisturbedTaylor)]
    [InlineData(ImportanceCriteria.Hessian)]
    public void Channels_without_influence_are_worth_nothing(string criterion)
    {
        double[] scores = Score(criterion, seed: 3);
        Assert.True(scores[0] > 0 && scores[3] > 0);
        Assert.Equal(0, scores[1]);
        Assert.Equal(0, scores[2]);
        Assert.True(scores[0] > scores[3]);
    }

    [Fact]
    public void The_noise_is_a_function_of_the_seed()
    {
        Assert.Equal(Score(ImportanceCriteria.DisturbedTaylor, seed: 3), Score(ImportanceCriteria.DisturbedTaylor, seed: 3));
        Assert.NotEqual(Score(ImportanceCriteria.DisturbedTaylor, seed: 3), Score(ImportanceCriteria.DisturbedTaylor, seed: 4));
    }

    [Theory]
    [InlineData(ImportanceCriteria.Magnitude)]
    [InlineData(ImportanceCriteria.Random)]
    public void Criteria_without_pictures_ask_for_none(string criterion)
    {
        Assert.False(ImportanceCriteria.NeedsPictures(criterion));
        Assert.All(Score(criterion, seed: 0, mostPictures: 0), s => Assert.True(s > 0));
    }

    [Fact]
    public void Taylor_asks_for_a_decoder()
    {
        SamCompressException e = Assert.Throws<SamCompressException>(() => Score(ImportanceCriteria.Taylor, seed: 0));
        Assert.Equal("importance 'taylor' is about masks, and there is no decoder beside the model", e.Message);
        Assert.Equal(FailureKind.Usage, e.Kind);
    }

    [Fact]
    public void Taylor_by_masks_ranks_the_channels_of_the_sample_model()
    {
        string folder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano");
        using Model encoder = OnnxReader.Read(Path.Combine(folder, "encoder.onnx")), decoder = OnnxReader.Read(Path.Combine(folder, "decoder.onnx"));
        TrainableModel.Prepare(encoder);
        MaskHead.Fix(decoder, points: 2);
        ChannelGroups groups = ChannelGroupFinder.Find(encoder);
        using var pictures = new TrainingPictures(ImageSet.Of([TestPictures.Scene(0), TestPictures.Scene(1)]), new Preprocessing(256, PixelLayout.ChannelsFirst), augmentation: null);
        ChannelImportance importance = new ImportanceGradients(SessionSettings.Default, 2).Collect(ImportanceCriteria.Taylor, encoder, groups, pictures, decoder, seed: 0);
        Assert.All(importance.Score(groups.Groups), g => Assert.Contains(g.Value, s => s > 0));
    }

    private static double[] Score(string criterion, int seed, int mostPictures = 3)
    {
        string numbers = string.Join(", ", Enumerable.Range(0, 192).Select(i => i % 3 == 0 ? "0.02" : "-0.01"));
        using Model model = ModelText.Parse(Encoder.Replace("w1, float", $"w1 = {{{numbers}}}, float", StringComparison.Ordinal), 17);
        ShapeInference.Infer(model);
        ChannelGroups groups = ChannelGroupFinder.Find(model);
        using var pictures = new TrainingPictures(
            ImageSet.Of([TestPictures.Scene(0), TestPictures.Scene(1), TestPictures.Scene(2)]), new Preprocessing(16, PixelLayout.ChannelsFirst), augmentation: null);
        return new ImportanceGradients(SessionSettings.Default, mostPictures).Collect(criterion, model, groups, pictures, decoder: null, seed).Score(groups.Groups.Single());
    }
}
