using System.Runtime.InteropServices;
using System.Text;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;

namespace SamCompress.Passes.Tests.Quantization;

/// <summary>Rows and second moments, which are base64 of their bytes.</summary>
public sealed class CalibrationCacheSamplesTests
{
    private static readonly float[] Rows = [0.1f, -0f, float.Epsilon, -float.MaxValue, 1f / 3, 7];
    private static readonly float[] Gram = [1, 0.5f, 0.5f, float.MaxValue];

    [Fact]
    public void Samples_read_back_as_the_same_bits()
    {
        byte[] written = Serialize(new ActivationSamples(2, Rows, [0.3f, 2e-44f], Gram, [-1, 1e30f]));
        ActivationSamples read = CalibrationCache.Read(new MemoryStream(written), "c").Values[0].Samples!;
        Assert.Equal((2, 3), (read.Channels, read.RowCount));
        Same(Rows, read.Rows);
        Same([0.3f, 2e-44f], read.MeanSquare);
        Same(Gram, read.Gram);
        Same([-1, 1e30f], read.GramMean);
        Assert.Equal(written, Serialize(read));

        static void Same(float[] expected, float[] actual) =>
            Assert.Equal(MemoryMarshal.Cast<float, uint>(expected).ToArray(), MemoryMarshal.Cast<float, uint>(actual).ToArray());
    }

    [Fact]
    public void Rows_without_moments_and_nothing_at_all_read_back_too()
    {
        ActivationSamples read = CalibrationCache.Read(new MemoryStream(Serialize(new ActivationSamples(2, Rows, [1, 2], [], []))), "c").Values[0].Samples!;
        Assert.Equal((3, 0, 0), (read.RowCount, read.Gram.Length, read.GramMean.Length));
        Assert.Null(CalibrationCache.Read(new MemoryStream(Serialize(null)), "c").Values[0].Samples);
    }

    /// <summary>The base64 of one row, cut to no whole number of it, of a float, of a row; then other things than base64.</summary>
    [Theory]
    [InlineData("AACAPwAAAEA", "rows is no base64")]
    [InlineData("AACAPwAA", "rows holds 6 bytes")]
    [InlineData("AACAPw==", "1 elements of rows")]
    [InlineData("AACAPwAAwH8=", "rows holds a number that is not finite")]
    [InlineData("AACAPwAAgH8=", "rows holds a number that is not finite")]
    [InlineData("one and two", "rows is no base64")]
    public void Damaged_samples_are_refused_with_the_value_named(string base64, string message)
    {
        string text = Encoding.UTF8.GetString(Serialize(new ActivationSamples(2, [1, 2], [1, 4], [], [])));
        Assert.Contains("\"rows\":\"AACAPwAAAEA=\"", text, StringComparison.Ordinal);
        Refuses(text.Replace("AACAPwAAAEA=", base64, StringComparison.Ordinal), message);
    }

    [Theory]
    [InlineData("\"meanSquare\":\"AACAPwAAgEA=\"", "\"meanSquare\":\"AACAPw==\"", "1 mean squares")]
    [InlineData("\"moments\":\"\"", "\"moments\":\"AACAPw==\"", "1 second moments")]
    [InlineData("\"momentsMean\":\"\"", "\"momentsMean\":\"AACAPw==\"", "")]
    [InlineData("\"rows\":\"AACAPwAAAEA=\"", "\"rows\":[1, 2]", "rows is no base64")]
    [InlineData("\"moments\":", "\"momends\":", "moments is no base64")]
    public void Samples_that_do_not_fit_together_are_refused_with_the_value_named(string from, string to, string message)
    {
        string text = Encoding.UTF8.GetString(Serialize(new ActivationSamples(2, [1, 2], [1, 4], [], [])));
        Assert.Contains(from, text, StringComparison.Ordinal);
        Refuses(text.Replace(from, to, StringComparison.Ordinal), message);
    }

    [Fact]
    public void Statistics_of_another_preparation_are_refused_with_the_difference()
    {
        CalibrationStatistics plain = Statistics(null), equalized = plain with { Preparation = "equalized for 256 levels" };
        CalibrationCache.Validate(plain, "c", "aaaa", "0.1.0", null);
        CalibrationCache.Validate(equalized, "c", "aaaa", "0.1.0", null, "equalized for 256 levels");

        Assert.Contains("from the model not equalized, and these options want it equalized for 64 levels", Refusal(plain, "equalized for 64 levels"), StringComparison.Ordinal);
        Assert.Contains("from the model equalized for 256 levels, and these options want it not equalized", Refusal(equalized, ""), StringComparison.Ordinal);
        Assert.Contains("from the model equalized for 256 levels, and these options want it equalized for 64", Refusal(equalized, "equalized for 64 levels"), StringComparison.Ordinal);

        static string Refusal(CalibrationStatistics statistics, string preparation)
        {
            SamCompressException e = Assert.Throws<SamCompressException>(() => CalibrationCache.Validate(statistics, "c", "aaaa", "0.1.0", null, preparation));
            Assert.Equal((FailureKind.InputRejected, "c"), (e.Kind, e.Location));
            return e.Message;
        }
    }

    [Fact]
    public void Preparation_and_what_was_seen_before_read_back()
    {
        CalibrationStatistics written = Statistics(null);
        written = written with { Preparation = "equalized for 64 levels", BeforeEqualization = written.Values };
        var stream = new MemoryStream();
        CalibrationCache.Write(written, stream);
        stream.Position = 0;
        CalibrationStatistics read = CalibrationCache.Read(stream, "c");
        Assert.Equal("equalized for 64 levels", read.Preparation);
        Assert.Equal("block.3/Mul_output", Assert.Single(read.BeforeEqualization).Name);
    }

    private static void Refuses(string text, string message)
    {
        SamCompressException e = Assert.Throws<SamCompressException>(() => CalibrationCache.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), "c"));
        Assert.Equal((FailureKind.InputRejected, "c"), (e.Kind, e.Location));
        Assert.Contains("'block.3/Mul_output'", e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    private static byte[] Serialize(ActivationSamples? samples)
    {
        var stream = new MemoryStream();
        CalibrationCache.Write(Statistics(samples), stream);
        return stream.ToArray();
    }

    private static CalibrationStatistics Statistics(ActivationSamples? samples)
    {
        var histogram = new ValueHistogram();
        histogram.Add([1, 2]);
        var value = new ValueStatistics
        {
            Name = "block.3/Mul_output",
            ChannelAxis = -1,
            ChannelMin = [1, 2],
            ChannelMax = [1, 2],
            ChannelMean = [1, 2],
            PictureMin = new Moments(1, 1),
            PictureMax = new Moments(2, 4),
            Histogram = histogram,
            Samples = samples,
        };
        return new CalibrationStatistics { ModelHash = "aaaa", ToolVersion = "0.1.0", PictureSetHash = "bbbb", PictureCount = 1, Values = [value] };
    }
}
