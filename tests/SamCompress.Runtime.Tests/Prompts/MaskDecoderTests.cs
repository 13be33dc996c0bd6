using SamCompress.IR;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Prompts;

public sealed class MaskDecoderTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>The frame is 256: 320 x 240 becomes 256 x 192, and coordinates shrink by 0.8.</summary>
    [Fact]
    public void Scales_points_and_pads_them_for_the_official_decoder()
    {
        using MaskDecoder decoder = OpenNano();
        var prompt = new Prompt { Points = [new PromptPoint(100, 50), new PromptPoint(320, 240, IsForeground: false)] };
        (float[] coordinates, float[] labels) = decoder.Encode(prompt, 320, 240);
        Assert.Equal([80, 40, 256, 192, 0, 0], coordinates);
        Assert.Equal([1, 0, -1], labels);
    }

    [Fact]
    public void Gives_a_box_as_two_corners_without_padding()
    {
        using MaskDecoder decoder = OpenNano();
        (float[] coordinates, float[] labels) = decoder.Encode(Prompt.Around(10, 20, 110, 220), 320, 240);
        Assert.Equal([8, 16, 88, 176], coordinates);
        Assert.Equal([2, 3], labels);
        Assert.Throws<ArgumentException>(() => decoder.Encode(new Prompt(), 320, 240));
    }

    /// <summary>Both axes have their own scale, since each side is rounded: 333 x 100 in a frame of 256 is 256 x 77.</summary>
    [Fact]
    public void Scales_each_axis_by_its_rounded_size()
    {
        using MaskDecoder decoder = OpenNano();
        (float[] coordinates, _) = decoder.Encode(Prompt.At(333, 100), 333, 100);
        Assert.Equal([256, 77, 0, 0], coordinates);
    }

    [Fact]
    public void Gives_masks_of_the_original_size()
    {
        using MaskDecoder decoder = OpenNano();
        using RuntimeTensor embedding = RuntimeTensor.Of(new float[128 * 16 * 16], 1, 128, 16, 16);
        MaskPrediction prediction = decoder.Decode(Embeddings(embedding), 30, 20, Prompt.At(15, 10));
        Assert.Equal((30, 20), (prediction.Width, prediction.Height));
        Assert.Equal(prediction.IouPredictions.Count, prediction.Masks.Count);
        Assert.Equal((30, 20), (prediction.Masks[0].Width, prediction.Masks[0].Height));
    }

    /// <summary>A frame of 64 has masks of 8 x 8 here; 2:1 pictures fill their upper half.</summary>
    [Fact]
    public void Crops_the_padding_of_low_resolution_masks()
    {
        string path = Path.Combine(_directory.FullName, "decoder.onnx");
        float[] masks = new float[2 * 64];
        masks[64] = 1;
        masks[64 + 63] = 1;
        SaveConstant(path, masks, [0.25f, 0.75f]);
        using MaskDecoder decoder = MaskDecoder.Open(path);
        using RuntimeTensor embedding = RuntimeTensor.Of(new float[16], 1, 1, 4, 4);
        MaskPrediction prediction = decoder.Decode(Embeddings(embedding), 200, 100, Prompt.At(1, 1));
        Assert.Equal(64, decoder.Interface.Frame);
        Assert.Equal((8, 4), (prediction.Width, prediction.Height));
        Assert.Equal(1, prediction.Best);
        Assert.Equal(0, prediction.Masks[0].Area);
        Assert.Equal(1, prediction.Masks[1].Area);
    }

    [Fact]
    public void Refuses_a_model_that_is_no_decoder()
    {
        var e = Assert.Throws<SamCompressException>(() => MaskDecoder.Open(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx")));
        Assert.Equal(FailureKind.Unsupported, e.Kind);
    }

    private static MaskDecoder OpenNano() => MaskDecoder.Open(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "decoder.onnx"));

    private static Dictionary<string, RuntimeTensor> Embeddings(RuntimeTensor embedding) => new() { ["image_embeddings"] = embedding };

    /// <summary>A decoder of EfficientViT-SAM's interface that gives the same masks whatever it is asked.</summary>
    private static void SaveConstant(string path, float[] masks, float[] iou)
    {
        using var model = new Model(8, [new OpsetImport("", 17)]);
        Graph graph = model.Graph;
        graph.AddInput("image_embeddings", ElementType.Float, Shape.Of(1, 1, 4, 4));
        graph.AddInput("point_coords", ElementType.Float, new Shape(1, Dimension.Of("n"), 2));
        graph.AddInput("point_labels", ElementType.Float, new Shape(1, Dimension.Of("n")));
        Add("masks", Tensor.Of(masks, 1, 2, 8, 8));
        Add("iou_predictions", Tensor.Of(iou, 1, 2));
        OnnxWriter.Save(model, path);

        void Add(string name, Tensor tensor)
        {
            Value output = graph.Append("Identity", [graph.AddInitializer(name + "_data", tensor)], [name]).Output;
            output.ElementType = tensor.ElementType;
            output.Shape = Shape.Of(tensor.Dimensions.AsSpan());
            graph.AddOutput(output);
        }
    }
}
