using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Tests.Images;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Training;

public sealed class MaskHeadTests
{
    private static string Sample(string part) => Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", part + ".onnx");

    [Fact]
    public void Gives_the_masks_of_the_decoder_behind_the_encoder()
    {
        using Model encoder = OnnxReader.Read(Sample("encoder")), decoder = OnnxReader.Read(Sample("decoder"));
        ShapeInference.Infer(encoder);
        MaskHead.Fix(decoder, points: 2);
        MaskHead head = MaskHead.Attach(encoder, decoder);
        encoder.Graph.AddOutput(encoder.Graph.Nodes.Last!.Output);
        using OnnxSession session = OnnxSession.Open(encoder);
        using var loader = new ImageLoader(new Preprocessing(256, PixelLayout.ChannelsFirst));
        using EncoderImage image = loader.Load(TestPictures.Scene(3));
        using RuntimeTensor points = RuntimeTensor.Of([120f, 100, 0, 0], 1, 2, 2), labels = RuntimeTensor.Of([1f, -1], 1, 2);
        using RuntimeTensors joined = session.Run(new Dictionary<string, RuntimeTensor> { ["image"] = image.Input, [head.Points] = points, [head.Labels] = labels });

        using OnnxSession alone = OnnxSession.Open(Sample("encoder"));
        using var masks = MaskDecoder.Open(Sample("decoder"));
        using RuntimeTensors embedding = alone.Run(new Dictionary<string, RuntimeTensor> { ["image"] = image.Input });
        (float[] logits, _) = masks.Logits(embedding, 256, 256, Prompt.At(120, 100));
        float[] probabilities = joined[head.Probabilities].ToArray<float>();
        Assert.Equal("float[1,4,64,64]", joined[head.Probabilities].ToString());
        Assert.Contains(probabilities, p => p > 0.9f);
        for (int i = 0; i < logits.Length; i++)
            Assert.Equal(1 / (1 + Math.Exp(-logits[i])), probabilities[i], 1e-4);
    }

    [Fact]
    public void Several_prompts_at_once_get_the_masks_of_each_alone()
    {
        using Model one = OnnxReader.Read(Sample("decoder")), three = OnnxReader.Read(Sample("decoder"));
        MaskHead.Fix(one, points: 2);
        MaskHead.Fix(three, points: 2, prompts: 3);
        using OnnxSession alone = OnnxSession.Open(one), together = OnnxSession.Open(three);
        var random = new Random(1);
        using RuntimeTensor embedding = RuntimeTensor.Of([.. Enumerable.Range(0, 128 * 256).Select(_ => (float)random.NextDouble())], 1, 128, 16, 16);
        float[] points = [30, 40, 0, 0, 120, 100, 0, 0, 200, 17, 90, 80], labels = [1, -1, 1, -1, 0, 1];
        float[] all = Masks(together, points, labels);
        Assert.Equal(3 * 4 * 64 * 64, all.Length);
        for (int i = 0; i < 3; i++)
        {
            float[] expected = Masks(alone, points[(4 * i)..(4 * (i + 1))], labels[(2 * i)..(2 * (i + 1))]);
            Assert.All(expected.Zip(all.Skip(i * expected.Length)), p => Assert.Equal(p.First, p.Second, 1e-3));
        }

        float[] Masks(OnnxSession session, float[] coordinates, float[] kinds)
        {
            using RuntimeTensor at = RuntimeTensor.Of(coordinates, kinds.Length / 2, 2, 2), of = RuntimeTensor.Of(kinds, kinds.Length / 2, 2);
            using RuntimeTensors results = session.Run(new Dictionary<string, RuntimeTensor> { ["image_embeddings"] = embedding, ["point_coords"] = at, ["point_labels"] = of });
            return results.Values.Single().ToArray<float>();
        }
    }

    [Fact]
    public void Leaves_no_other_input_and_no_free_dimension()
    {
        using Model decoder = OnnxReader.Read(Sample("decoder"));
        MaskHead.Fix(decoder, points: 5);
        Assert.Equal(["image_embeddings", "point_coords", "point_labels"], decoder.Graph.Inputs.Select(i => i.Name));
        Assert.All(decoder.Graph.Nodes.SelectMany(n => n.Outputs), v => Assert.True(v!.Shape?.IsStatic, v.ToString()));
        Assert.DoesNotContain(decoder.Graph.Nodes, n => n.OpType is "Shape" or "If" or "Loop" or "ConstantOfShape");
    }

    [Fact]
    public void Refuses_a_decoder_of_other_embeddings()
    {
        using Model encoder = ModelText.Parse("e (float[1,3,8,8] image) => (float[1,3,8,8] embedding) { embedding = Neg(image) }", 17);
        using Model decoder = OnnxReader.Read(Sample("decoder"));
        MaskHead.Fix(decoder, points: 2);
        SamCompressException e = Assert.Throws<SamCompressException>(() => MaskHead.Attach(encoder, decoder));
        Assert.Equal("the decoder takes embeddings of [1,128,16,16], and the encoder gives [1,3,8,8]", e.Message);
    }

    [Fact]
    public void Refuses_what_is_no_decoder()
    {
        using Model encoder = OnnxReader.Read(Sample("encoder"));
        SamCompressException e = Assert.Throws<SamCompressException>(() => MaskHead.Fix(encoder, points: 2));
        Assert.Equal("the decoder is no mask decoder: its inputs are image", e.Message);
    }
}
