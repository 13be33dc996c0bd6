using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Observers;

/// <summary>Rows, mean squares and second moments.</summary>
public sealed class SamplesTests
{
    private static readonly CalibrationOrigin Origin = new("model", "1", "pictures");

    [Theory]
    [InlineData(13)]
    [InlineData(21)]
    public void Rows_and_second_moments_of_channels_on_the_last_axis(int opset)
    {
        ActivationSamples samples = Observe(opset, ObservationDetail.SecondMoments, -1, [1, 2, 3, 4], [-1, 0, 0, 8]);
        Assert.Equal([1, 2, 3, 4, -1, 0, 0, 8], samples.Rows);
        Assert.Equal([(1 + 9 + 1 + 0) / 4f, (4 + 16 + 0 + 64) / 4f], samples.MeanSquare);
        Assert.Equal([11 / 4f, (2 + 12) / 4f, (2 + 12) / 4f, 84 / 4f], samples.Gram);
        Assert.Equal([3 / 4f, 14 / 4f], samples.GramMean);
    }

    [Fact]
    public void Rows_of_channels_on_axis_one_are_transposed()
    {
        ActivationSamples samples = Observe(17, ObservationDetail.Rows, 1, [1, 2, 3, 4], [-1, 0, 0, 8]);
        Assert.Equal([1, 3, 2, 4, -1, 0, 0, 8], samples.Rows);
        Assert.Equal([(1 + 4 + 1 + 0) / 4f, (9 + 16 + 0 + 64) / 4f], samples.MeanSquare);
        Assert.Empty(samples.Gram);
    }

    [Fact]
    public void A_batch_of_maps_gives_the_rows_of_each()
    {
        using Model model = ModelText.Parse("g (float[2,2,1,2] X) => (float[2,2,1,2] Y) { Y = Neg (X) }", 17);
        var sample = new CalibrationSample("p", new Dictionary<string, RuntimeTensor> { ["X"] = RuntimeTensor.Of([1f, 2, 3, 4, 5, 6, 7, 8], 2, 2, 1, 2) });
        Assert.Equal([1, 3, 2, 4, 5, 7, 6, 8], new Calibrator().Run(model, [new ObservedValue("X", 1, 2, ObservationDetail.Rows)], [sample], Origin).Values[0].Samples!.Rows);
    }

    [Fact]
    public void Nothing_more_is_kept_than_was_asked_for()
    {
        using Model model = ModelText.Parse("g (float[1,2,2] X) => (float[1,2,2] Y) { Y = Neg (X) }", 17);
        Assert.Null(new Calibrator().Run(model, [new ObservedValue("X", -1, 2)], [Sample(1, 2, 3, 4)], Origin).Values[0].Samples);
    }

    /// <summary>Every third of 2,500 positions counts (3 is the odd number from 2500 / 1024 on): sums over x = 0, 3, ... 2499 of x and x^2.</summary>
    [Fact]
    public void Second_moments_of_many_positions_are_those_of_every_nth()
    {
        const int Count = 2500;
        using Model model = ModelText.Parse($"g (float[{Count},1] X) => (float[{Count},1] Y) {{ Y = Neg (X) }}", 17);
        float[] values = [.. Enumerable.Range(0, Count).Select(i => i / 100f)];
        var sample = new CalibrationSample("p", new Dictionary<string, RuntimeTensor> { ["X"] = RuntimeTensor.Of(values, Count, 1) });
        ActivationSamples samples = new Calibrator().Run(model, [new ObservedValue("X", -1, 1, ObservationDetail.SecondMoments)], [sample], Origin).Values[0].Samples!;
        Assert.Equal(Count, samples.RowCount);

        // n = 833: 3 n (n + 1) / 2 and 9 n (n + 1)(2 n + 1) / 6, over 834 numbers.
        Assert.Equal(3 * 833.0 / 2 / 100, Assert.Single(samples.GramMean), 1e-4);
        Assert.Equal(9.0 * 833 * 1667 / 6 / 10000, Assert.Single(samples.Gram), 1e-2);
    }

    /// <summary>
    /// 64 rows of 8192 elements fill what is kept. Row 64 is one too many: the even ones stay, and from then on every second one is kept; with row 128
    /// those that are multiples of four stay.
    /// </summary>
    [Theory]
    [InlineData(64, 1, 64)]
    [InlineData(65, 2, 33)]
    [InlineData(128, 2, 64)]
    [InlineData(129, 4, 33)]
    [InlineData(200, 4, 50)]
    public void Beyond_what_is_kept_every_second_row_goes(int rows, int step, int kept)
    {
        const int Channels = ValueObserver.KeptElements / 64;
        var observer = new ValueObserver(new ObservedValue("X", -1, Channels, ObservationDetail.Rows));
        var zeros = new float[Channels];
        for (int r = 0; r < rows; r++)
        {
            var row = new float[Channels];
            row[0] = r;
            using RuntimeTensor tensor = RuntimeTensor.Of(row, 1, Channels);
            observer.Add(zeros, row, tensor, "p");
        }

        ActivationSamples samples = observer.Result(rows).Samples!;
        Assert.Equal(Enumerable.Range(0, kept).Select(i => (float)(i * step)), samples.Rows.Chunk(Channels).Select(r => r[0]));

        // Of all rows, kept or not.
        Assert.Equal((rows - 1) * ((2.0 * rows) - 1) / 6, samples.MeanSquare[0], 1e-2);
    }

    private static ActivationSamples Observe(int opset, ObservationDetail detail, int axis, params float[][] pictures)
    {
        using Model model = ModelText.Parse("g (float[1,2,2] X) => (float[1,2,2] Y) { Y = Neg (X) }", opset);
        return new Calibrator().Run(model, [new ObservedValue("X", axis, 2, detail)], pictures.Select(Sample), Origin).Values[0].Samples!;
    }

    private static CalibrationSample Sample(params float[] values) =>
        new("picture", new Dictionary<string, RuntimeTensor> { ["X"] = RuntimeTensor.Of(values, 1, 2, 2) });
}
