using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Distillation;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Distillation;

public sealed class EncoderFeaturesTests
{
    /// <summary>Blocks, and the width of the embedding and of the hidden layers.</summary>
    [Theory]
    [InlineData("sam_b_encoder", 12, 768, 3072)]
    [InlineData("sam_b_encoder_dynamo", 12, 768, 3072)]
    [InlineData("efficientsam_ti_encoder", 12, 192, 768)]
    public void Finds_stream_and_bottlenecks_of_every_block_of_a_vision_transformer(string name, int blocks, int width, int hidden)
    {
        using Model model = SkeletonModels.Open(name);
        TrainableModel.Prepare(model);
        EncoderFeatures features = EncoderFeatures.Of(model);
        Assert.Equal((2 * blocks) + 1, features.Stream.Count);
        Assert.All(features.Stream, v => Assert.Equal(width, v.Shape![^1].Value));
        Assert.Equal(blocks, features.QueryKeyValue.Count);
        Assert.All(features.QueryKeyValue, v => Assert.Equal(3 * width, v.Shape![^1].Value));
        Assert.Equal(blocks, features.Hidden.Count);
        Assert.All(features.Hidden, v => Assert.Equal(hidden, v.Shape![^1].Value));
        Assert.True(features.Embedding.IsGraphOutput);
    }

    /// <summary>Logits and positions of a rewritten attention are added in one shape, and so is what convolutions make of heads and of values.</summary>
    [Fact]
    public void Sums_inside_a_rewritten_attention_are_not_of_the_stream()
    {
        using Model model = OnnxReader.Read(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx"));
        new PassPipeline(StandardPipeline.Cleanup).Run(model, PassCheck.Context());
        new PassPipeline(StandardPipeline.Rewrite(new DilateAttention(new AttentionSelection(), 2, localKernel: 3))).Run(model, PassCheck.Context());
        TrainableModel.Prepare(model);
        Assert.Equal(2, model.Graph.Nodes.Count(n => n.Is("Conv") && n.GetInt("group", 1) == 2 * 192));
        Assert.Equal((2 * 6) + 1, EncoderFeatures.Of(model).Stream.Count);
    }

    [Fact]
    public void Finds_attention_and_hidden_layers_among_the_convolutions_of_tiny_vit()
    {
        using Model model = SkeletonModels.Open("mobilesam_encoder");
        TrainableModel.Prepare(model);
        EncoderFeatures features = EncoderFeatures.Of(model);
        Assert.Equal(10, features.QueryKeyValue.Count);
        Assert.Equal(10, features.Hidden.Count);

        // Two MBConv with a residual, then two sums in each of ten blocks, and what the first starts from.
        Assert.Equal(2 + 20 + 1, features.Stream.Count);
    }
}
