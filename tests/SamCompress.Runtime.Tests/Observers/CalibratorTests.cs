using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Observers;

public sealed class CalibratorTests
{
    private static readonly CalibrationOrigin Origin = new("model", "1", "pictures");

    [Theory]
    [InlineData(13)]
    [InlineData(18)]
    [InlineData(21)]
    public void Sees_extremes_means_and_counts_of_every_channel(int opset)
    {
        using Model model = ModelText.Parse("g (float[1,2,2] X) => (float[1,2,2] Y) { [twice] T = Add (X, X) Y = Neg (T) }", opset);
        CalibrationStatistics statistics = new Calibrator().Run(
            model, [new ObservedValue("T", -1, 2), new ObservedValue("X", 1, 2)], [Sample(1, 2, 3, 4), Sample(-1, 0, 0, 8)], Origin);

        ValueStatistics twice = statistics.Find("T")!;
        Assert.Equal([-2, 0], twice.ChannelMin);
        Assert.Equal([6, 16], twice.ChannelMax);
        Assert.Equal([(2 + 6 - 2 + 0) / 4.0, (4 + 8 + 0 + 16) / 4.0], twice.ChannelMean);
        Assert.Equal(new Moments((2 - 2) / 2.0, (4 + 4) / 2.0), twice.PictureMin);
        Assert.Equal(new Moments((8 + 16) / 2.0, (64 + 256) / 2.0), twice.PictureMax);
        Assert.Equal(8, twice.Histogram.Total);
        Assert.Equal(2, twice.Histogram.ZeroCount);

        // Channels on axis 1 are the rows (1, 2) and (3, 4), then (-1, 0) and (0, 8).
        ValueStatistics rows = statistics.Find("X")!;
        Assert.Equal([-1, 0], rows.ChannelMin);
        Assert.Equal([2, 8], rows.ChannelMax);
        Assert.Equal([(1 + 2 - 1 + 0) / 4.0, (3 + 4 + 0 + 8) / 4.0], rows.ChannelMean);
        Assert.Equal(2, statistics.PictureCount);
    }

    [Fact]
    public void Hands_out_the_outputs_of_the_model_from_the_same_run()
    {
        using Model model = ModelText.Parse("g (float[1,2,2] X) => (float[1,2,2] Y) { Y = Neg (X) }", 17);
        var seen = new SortedDictionary<int, float[]>();
        new Calibrator().Run(model, [new ObservedValue("Y", -1, 2)], [Sample(1, 2, 3, 4), Sample(5, 6, 7, 8)], Origin, (i, o) => seen.Add(i, o["Y"].ToArray<float>()));
        Assert.Equal([-1, -2, -3, -4], seen[0]);
        Assert.Equal([-5, -6, -7, -8], seen[1]);
    }

    [Fact]
    public void Leaves_the_model_as_it_was()
    {
        using Model model = ModelText.Parse("g (float[1,2,2] X) => (float[1,2,2] Y) { Y = Neg (X) }", 17);
        string before = ModelText.Print(model);
        new Calibrator().Run(model, [new ObservedValue("X", -1, 2)], [Sample(1, 2, 3, 4)], Origin);
        Assert.Equal(before, ModelText.Print(model));
    }

    [Fact]
    public void Big_values_are_sampled_at_every_position_over_the_pictures()
    {
        // 4 x 65,536 elements in rows of one channel: one in five of them a picture (4 made odd), another fifth each time.
        const int Count = 4 * 65536;
        using Model model = ModelText.Parse($"g (float[{Count},1] X) => (float[{Count},1] Y) {{ Y = Neg (X) }}", 17);
        float[] values = [.. Enumerable.Range(1, Count).Select(i => (float)i)];
        ValueStatistics one = Observe(1), five = Observe(5);
        Assert.Equal((Count + 4) / 5, one.Histogram.Total);
        Assert.Equal(Count, five.Histogram.Total);
        Assert.Equal((Count + 1) / 2.0, five.ChannelMean[0], 1e-6);
        Assert.Equal(1, one.Min);
        Assert.Equal(Count, one.Max);

        ValueStatistics Observe(int pictures) => new Calibrator().Run(
            model, [new ObservedValue("X", -1, 1)], Enumerable.Range(0, pictures).Select(_ => SampleOf(values, Count, 1)), Origin).Values[0];
    }

    [Fact]
    public void Same_pictures_give_the_same_cache_bytes()
    {
        Assert.Equal(Bytes(), Bytes());

        static byte[] Bytes()
        {
            using Model model = ModelText.Parse("g (float[1,2,2] X) => (float[1,2,2] Y) { Y = Neg (X) }", 17);
            var stream = new MemoryStream();
            CalibrationCache.Write(new Calibrator().Run(model, [new ObservedValue("X", -1, 2)], [Sample(1, 2, 3, 4), Sample(4, 3, 2, 1)], Origin), stream);
            return stream.ToArray();
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Values_that_are_not_finite_are_refused_with_the_picture(float value)
    {
        using Model model = ModelText.Parse("g (float[1,2,2] X) => (float[1,2,2] Y) { Y = Neg (X) }", 17);
        SamCompressException e = Assert.Throws<SamCompressException>(
            () => new Calibrator().Run(model, [new ObservedValue("X", -1, 2)], [Sample(1, value, 3, 4)], Origin));
        Assert.Equal(FailureKind.InputRejected, e.Kind);
        Assert.Equal("'X' is not finite on picture", e.Message);
    }

    [Fact]
    public void No_picture_and_too_little_memory_are_refused()
    {
        using Model model = ModelText.Parse("g (float[1,2,2] X) => (float[1,2,2] Y) { Y = Neg (X) }", 17);
        Assert.Equal(FailureKind.InputRejected, Assert.Throws<SamCompressException>(() => new Calibrator().Run(model, [], [], Origin)).Kind);
        SamCompressException e = Assert.Throws<SamCompressException>(
            () => new Calibrator(new CalibrationSettings { MaxMemory = 1 << 20 }).Run(model, [new ObservedValue("X", -1, 2)], [Sample(1, 2, 3, 4)], Origin));
        Assert.Equal(FailureKind.Runtime, e.Kind);
        Assert.Equal("raise --max-memory", e.Hint);
    }

    private static CalibrationSample Sample(params float[] values) => SampleOf(values, 1, 2, 2);

    private static CalibrationSample SampleOf(float[] values, params long[] shape) =>
        new("picture", new Dictionary<string, RuntimeTensor> { ["X"] = RuntimeTensor.Of(values, shape) });
}
