using SamCompress.IR;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Segmentation;

namespace SamCompress.Runtime.Tests.Segmentation;

public sealed class MaskScalingTests
{
    /// <summary>
    /// Against ONNX Runtime's Resize, as the official decoder resizes: linear with half-pixel centres to the frame, the part that shows the picture, linear to the picture.
    /// A pixel whose logit ONNX Runtime puts within 1e-4 of a level may fall on either side.
    /// </summary>
    [Theory]
    [InlineData(64, 256, 320, 240)]
    [InlineData(64, 256, 100, 333)]
    [InlineData(64, 256, 64, 64)]
    [InlineData(16, 64, 7, 1)]
    public void Resizes_as_the_official_decoder_does(int side, int frame, int width, int height)
    {
        var random = new Random(3);
        float[] logits = [.. Enumerable.Range(0, side * side).Select(_ => (float)((random.NextDouble() * 8) - 4))];
        double scale = (double)frame / Math.Max(width, height);
        float[] expected = Resize(logits, side, frame, (int)Math.Floor((width * scale) + 0.5), (int)Math.Floor((height * scale) + 0.5), width, height);
        ScaledMask scaled = MaskScaling.For(new MaskLogits(1, side, side, IsOfPictureSize: false, logits, [1]), frame, width, height).Scale(logits, 1, 2.5f);

        Check(scaled.Mask, 0);
        Check(scaled.Confident!, 2.5f);
        long near = expected.LongCount(v => Math.Abs(Math.Abs(v) - 1) < 1e-4);
        double inner = expected.Count(v => v > 1), outer = expected.Count(v => v > -1);
        Assert.InRange(scaled.Stability, (inner - near) / outer, (inner + near) / (outer - near));

        void Check(BinaryMask mask, float level)
        {
            for (int i = 0; i < expected.Length; i++)
            {
                if (Math.Abs(expected[i] - level) > 1e-4)
                    Assert.Equal(expected[i] > level, mask[i % width, i / width]);
            }
        }
    }

    /// <summary>Ten pixels above 1, of them and two more above -1: a stability of 10 / 12.</summary>
    [Fact]
    public void Leaves_masks_of_the_pictures_size_as_they_are()
    {
        float[] logits = [5, 5, 5, 5, 5, 5, 5, 5, 5, 1.5f, 0.5f, -0.5f, -2, -2, -2];
        ScaledMask scaled = MaskScaling.For(new MaskLogits(1, 5, 3, IsOfPictureSize: true, logits, [1]), 1024, 5, 3).Scale(logits, 1, confident: 2);
        Assert.Equal("#####/#####/#....", MaskText.Text(scaled.Mask));
        Assert.Equal("#####/####./.....", MaskText.Text(scaled.Confident!));
        Assert.Equal(10.0 / 12, scaled.Stability, 12);
    }

    [Fact]
    public void An_empty_mask_is_not_stable()
    {
        float[] logits = [-3, -3, -3, -3];
        ScaledMask scaled = MaskScaling.For(new MaskLogits(1, 2, 2, IsOfPictureSize: true, logits, [1]), 1024, 2, 2).Scale(logits, 1, confident: null);
        Assert.Equal((0, 0.0), (scaled.Mask.Area, scaled.Stability));
        Assert.Null(scaled.Confident);
    }

    private static float[] Resize(float[] logits, int side, int frame, int shownWidth, int shownHeight, int width, int height)
    {
        using var model = new Model(8, [new OpsetImport("", 17)]);
        Graph graph = model.Graph;
        Value low = graph.AddInput("low", ElementType.Float, Shape.Of(1, 1, side, side));
        NodeAttribute[] linear = [NodeAttribute.Of("mode", "linear"), NodeAttribute.Of("coordinate_transformation_mode", "half_pixel")];
        Value whole = graph.Append("Resize", [low, null, null, Numbers("frame", 1, 1, frame, frame)], ["whole"], linear).Output;
        Value cut = graph.Append("Slice", [whole, Numbers("start", 0, 0), Numbers("end", shownHeight, shownWidth), Numbers("axes", 2, 3)], ["cut"]).Output;
        Value full = graph.Append("Resize", [cut, null, null, Numbers("size", 1, 1, height, width)], ["full"], linear).Output;
        full.ElementType = ElementType.Float;
        full.Shape = Shape.Of(1, 1, height, width);
        graph.AddOutput(full);
        using OnnxSession session = OnnxSession.Open(model);
        using RuntimeTensor input = RuntimeTensor.Of(logits, 1, 1, side, side);
        using RuntimeTensors results = session.Run(new Dictionary<string, RuntimeTensor> { ["low"] = input });
        return results["full"].ToArray<float>();

        Value Numbers(string name, params ReadOnlySpan<long> numbers) => graph.AddInitializer(name, Tensor.Vector(numbers));
    }
}
