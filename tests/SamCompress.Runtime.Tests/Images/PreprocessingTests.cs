using SamCompress.IR;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Tests.Images;

public sealed class PreprocessingTests
{
    [Theory]
    [InlineData(1024, 640, 480, 1024, 768)]
    [InlineData(1024, 480, 640, 768, 1024)]
    [InlineData(1024, 1500, 1125, 1024, 768)]
    [InlineData(1024, 770, 769, 1024, 1023)]
    [InlineData(256, 1, 10_000, 1, 256)]
    [InlineData(256, 1, 1, 256, 256)]
    public void Scales_the_long_side_and_rounds_half_up(int side, int width, int height, int expectedWidth, int expectedHeight) =>
        Assert.Equal((expectedWidth, expectedHeight), new Preprocessing(side, PixelLayout.ChannelsFirst).Resized(width, height));

    [Fact]
    public void Normalizes_by_channel_and_pads_with_zeros_at_the_right_and_bottom()
    {
        float[] tensor = Normalize(new Preprocessing(4, PixelLayout.ChannelsFirst), [.. Enumerable.Repeat((byte)100, 8), .. Enumerable.Repeat((byte)150, 8), .. Enumerable.Repeat((byte)200, 8)], 4, 2);
        float[] expected = new float[3 * 16];
        for (int c = 0; c < 3; c++)
        {
            float value = c switch { 0 => (100 - 123.675f) / 58.395f, 1 => (150 - 116.28f) / 57.12f, _ => (200 - 103.53f) / 57.375f };
            expected.AsSpan(16 * c, 8).Fill(value);
        }

        Assert.Equal(expected, tensor);
    }

    [Fact]
    public void Puts_channels_last_when_the_encoder_wants_it()
    {
        byte[] pixels = [10, 20, 30];
        float[] first = Normalize(new Preprocessing(2, PixelLayout.ChannelsFirst), pixels, 1, 1);
        float[] last = Normalize(new Preprocessing(2, PixelLayout.ChannelsLast), pixels, 1, 1);
        for (int c = 0; c < 3; c++)
        {
            for (int i = 0; i < 4; i++)
                Assert.Equal(first[(4 * c) + i], last[(3 * i) + c]);
        }
    }

    /// <summary>Bilinear doubling with half-pixel centres: the weights are 3/4 and 1/4, the border repeats.</summary>
    [Fact]
    public void Enlarges_with_half_pixel_centres()
    {
        byte[] plane = [0, 200, 0, 200];
        float[] tensor = Normalize(new Preprocessing(4, PixelLayout.ChannelsFirst), [.. plane, .. plane, .. plane], 2, 2);
        Assert.Equal([0, 50, 150, 200], Levels(tensor, 4, 0)[..4].Select(v => (int)MathF.Round(v)));
    }

    /// <summary>Published figure for uint8 tensors: a mean of 0.01 levels (0.27 on float tensors), and at most 12 at some border pixels.</summary>
    [Theory]
    [InlineData(0, 256)]
    [InlineData(3, 256)]
    [InlineData(2, 100)]
    [InlineData(4, 1024)]
    public void Resizes_as_pil_does(int scene, int side)
    {
        using var loader = new ImageLoader(new Preprocessing(side, PixelLayout.ChannelsFirst));
        using DecodedImage image = loader.Decode(TestPictures.Scene(scene));
        using RuntimeTensor tensor = loader.Normalize(image.Pixels);
        (int width, int height) = loader.Preprocessing!.Resized(image.Width, image.Height);
        float[] actual = tensor.ToArray<float>();
        double sum = 0;
        double worst = 0;
        for (int c = 0; c < 3; c++)
        {
            byte[] plane = image.Pixels.As<byte>().Slice(c * image.Width * image.Height, image.Width * image.Height).ToArray();
            byte[] expected = PillowResize.Bilinear(plane, image.Width, image.Height, width, height);
            float[] levels = Levels(actual, side, c);
            for (int y = 0; y < height; y++)
            {
                for (int x = 0; x < width; x++)
                {
                    double difference = Math.Abs(levels[(y * side) + x] - expected[(y * width) + x]);
                    sum += difference;
                    worst = Math.Max(worst, difference);
                }
            }
        }

        Assert.InRange(sum / (3L * width * height), 0, 0.01);
        Assert.InRange(worst, 0, 12);
    }

    [Fact]
    public void Finds_side_and_layout_from_the_input()
    {
        var first = new SessionValue("image", ElementType.Float, new Shape(Dimension.Of("batch"), 3, 512, 512));
        var last = new SessionValue("image", ElementType.Float, Shape.Of(1, 256, 256, 3));
        Assert.Equal((512, PixelLayout.ChannelsFirst), (Preprocessing.For(first, "m").Side, Preprocessing.For(first, "m").Layout));
        Assert.Equal((256, PixelLayout.ChannelsLast), (Preprocessing.For(last, "m").Side, Preprocessing.For(last, "m").Layout));
    }

    [Fact]
    public void Refuses_inputs_that_are_no_square_picture()
    {
        SessionValue[] inputs =
        [
            new("x", ElementType.Int64, Shape.Of(1, 3, 8, 8)),
            new("x", ElementType.Float, Shape.Of(1, 3, 8, 9)),
            new("x", ElementType.Float, Shape.Of(2, 3, 8, 8)),
            new("x", ElementType.Float, new Shape(1, 3, Dimension.Of("h"), Dimension.Of("w"))),
            new("x", ElementType.Float, Shape.Of(1, 77)),
            new("x", ElementType.Float, null),
        ];
        foreach (SessionValue input in inputs)
            Assert.Equal(FailureKind.Unsupported, Assert.Throws<SamCompressException>(() => Preprocessing.For(input, "m")).Kind);
    }

    private static float[] Normalize(Preprocessing preprocessing, byte[] pixels, int width, int height)
    {
        using var loader = new ImageLoader(preprocessing);
        using RuntimeTensor image = RuntimeTensor.Of(pixels, 1, 3, height, width);
        using RuntimeTensor tensor = loader.Normalize(image);
        return tensor.ToArray<float>();
    }

    /// <summary>A channel of the tensor, back on the scale 0 to 255.</summary>
    private static float[] Levels(float[] tensor, int side, int channel)
    {
        float mean = channel switch { 0 => 123.675f, 1 => 116.28f, _ => 103.53f };
        float std = channel switch { 0 => 58.395f, 1 => 57.12f, _ => 57.375f };
        return [.. tensor.AsSpan(channel * side * side, side * side).ToArray().Select(v => (v * std) + mean)];
    }
}
