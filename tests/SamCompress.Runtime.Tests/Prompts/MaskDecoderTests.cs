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

    /// <summary>The batch of points of a transformers.js decoder is its second axis. Here each mask and its predicted IoU is one, two or three times the sum of the coordinates.</summary>
    [Fact]
    public void Gives_logits_for_several_prompts_at_once()
    {
        using MaskDecoder decoder = OpenText("""
            g (float[1,1,4,4] image_embeddings, float[1,1,4,4] image_positional_embeddings, float[1,P,N,2] input_points, int64[1,P,N] input_labels) => (float[1,P,3] iou_scores, float[1,P,3,1,2] pred_masks)
            <int64[2] axes = {2, 3}, int64[1] two = {2}, float[3] factors = {1, 2, 3}, float[1,2] pixels = {1, -1}, int64[2] last = {3, 4}> {
              sum = ReduceSum <keepdims = 0> (input_points, axes)
              column = Unsqueeze (sum, two)
              iou_scores = Mul (column, factors)
              planes = Unsqueeze (iou_scores, last)
              pred_masks = Mul (planes, pixels)
            }
            """);
        Assert.True(decoder.TakesBatches);
        using RuntimeTensor embedding = RuntimeTensor.Of(new float[16], 1, 1, 4, 4);
        var embeddings = new Dictionary<string, RuntimeTensor> { ["image_embeddings"] = embedding, ["image_positional_embeddings"] = embedding };
        MaskLogits logits = decoder.Logits(embeddings, 64, 64, [Prompt.At(1, 1), Prompt.At(3, 4)]);
        Assert.Equal((3, 2, 1, false), (logits.Count, logits.Width, logits.Height, logits.IsOfPictureSize));
        Assert.Equal([2, 4, 6, 7, 14, 21], logits.IouPredictions);
        Assert.Equal([14, -14], logits.Of(4).ToArray());
    }

    /// <summary>This decoder adds the running sum over the first axis, so that a batch would not give what single prompts give.</summary>
    [Fact]
    public void Asks_one_by_one_when_the_graph_allows_no_batch()
    {
        var reasons = new List<Diagnostic>();
        using MaskDecoder decoder = OpenText(
            """
            g (float[1,1,4,4] image_embeddings, float[1,N,2] point_coords, float[1,N] point_labels) => (float[1,2] iou_predictions, float[1,2,1,1] masks)
            <int64[1] one = {1}, int64[2] last = {2, 3}, int64 first = {0}> {
              sum = ReduceSum <keepdims = 0> (point_coords, one)
              iou_predictions = CumSum (sum, first)
              masks = Unsqueeze (iou_predictions, last)
            }
            """,
            reasons.Add);
        Assert.False(decoder.TakesBatches);
        Assert.Contains("CumSum", Assert.Single(reasons).Message, StringComparison.Ordinal);
        using RuntimeTensor embedding = RuntimeTensor.Of(new float[16], 1, 1, 4, 4);
        Assert.Equal([1, 2, 3, 4], decoder.Logits(Embeddings(embedding), 64, 64, [Prompt.At(1, 2), Prompt.At(3, 4)]).IouPredictions);
    }

    [Fact]
    public void Refuses_a_model_that_is_no_decoder()
    {
        var e = Assert.Throws<SamCompressException>(() => MaskDecoder.Open(Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx")));
        Assert.Equal(FailureKind.Unsupported, e.Kind);
    }

    private MaskDecoder OpenText(string text, Action<Diagnostic>? report = null)
    {
        string path = Path.Combine(_directory.FullName, "decoder.onnx");
        using (Model model = ModelText.Parse(text, opset: 17))
            OnnxWriter.Save(model, path);
        return MaskDecoder.OpenForMany(path, report: report);
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
