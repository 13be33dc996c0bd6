using System.Text;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class CalibrationCacheTests
{
    [Fact]
    public void What_is_written_reads_back_as_the_same_bits()
    {
        CalibrationStatistics written = Sample();
        CalibrationStatistics read = CalibrationCache.Read(new MemoryStream(Serialize(written)), "cache.json");

        Assert.Equal(Serialize(written), Serialize(read));
        ValueStatistics value = read.Values[0];
        Assert.Equal([0.1f, -float.MaxValue], value.ChannelMin);
        Assert.Equal([1f / 3, float.Epsilon], value.ChannelMax);
        Assert.Equal([Math.PI, double.Epsilon], value.ChannelMean);
        Assert.Equal(new Moments(1d / 3, 0.1), value.PictureMin);
        Assert.Equal(1, value.Histogram.ZeroCount);
        Assert.Equal(3, value.Histogram.Total);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        byte[] bytes = Serialize(Sample());
        for (int length = 0; length < bytes.Length; length += 7)
        {
            SamCompressException e = Assert.Throws<SamCompressException>(() => CalibrationCache.Read(new MemoryStream(bytes, 0, length), "cache.json"));
            Assert.Equal(FailureKind.InputRejected, e.Kind);
            Assert.Equal("cache.json", e.Location);
        }
    }

    [Theory]
    [InlineData("\"version\":2", "\"version\":3", "format version 3")]
    [InlineData("3.141592653589793", "NaN", "not a complete JSON file")]
    [InlineData("3.141592653589793", "\"NaN\"", "holds \"NaN\", which is no number")]
    [InlineData("3.141592653589793", "1e999", "not finite")]
    [InlineData("\"channelMin\":[0.1", "\"channelMin\":[7", "channel 0: minimum 7 over maximum 0.33333334")]
    [InlineData("\"zeros\":1", "\"zeros\":-1", "a count is negative")]
    [InlineData("\"pictureCount\":2", "\"pictureCount\":0", "0 pictures")]
    [InlineData("\"name\":\"x\"", "\"name\":null", "name is null")]
    [InlineData("\"channelMean\"", "\"channelMeen\"", "key")]
    public void A_file_edited_by_hand_is_refused_with_the_reason(string from, string to, string message)
    {
        string text = Encoding.UTF8.GetString(Serialize(Sample()));
        Assert.Contains(from, text, StringComparison.Ordinal);
        byte[] edited = Encoding.UTF8.GetBytes(text.Replace(from, to, StringComparison.Ordinal));

        SamCompressException e = Assert.Throws<SamCompressException>(() => CalibrationCache.Read(new MemoryStream(edited), "cache.json"));
        Assert.Equal(FailureKind.InputRejected, e.Kind);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Statistics_of_another_model_version_or_picture_set_are_refused_with_the_difference()
    {
        CalibrationStatistics statistics = Sample();
        CalibrationCache.Validate(statistics, "c", "aaaa", "0.1.0", "bbbb");
        CalibrationCache.Validate(statistics, "c", "aaaa", "0.1.0", null);

        Assert.Contains("another model", Refusal("ffff", "0.1.0", "bbbb"), StringComparison.Ordinal);
        Assert.Contains("version 0.1.0, this is version 9", Refusal("aaaa", "9", "bbbb"), StringComparison.Ordinal);
        Assert.Contains("other pictures", Refusal("aaaa", "0.1.0", "cccc"), StringComparison.Ordinal);

        string Refusal(string model, string version, string pictures) =>
            Assert.Throws<SamCompressException>(() => CalibrationCache.Validate(statistics, "c", model, version, pictures)).Message;
    }

    private static CalibrationStatistics Sample()
    {
        var histogram = new ValueHistogram();
        histogram.Add([0.1f, 0, 1f / 3]);
        return new CalibrationStatistics
        {
            ModelHash = "aaaa",
            ToolVersion = "0.1.0",
            PictureSetHash = "bbbb",
            PictureCount = 2,
            Values =
            [
                new ValueStatistics
                {
                    Name = "x",
                    ChannelAxis = -1,
                    ChannelMin = [0.1f, -float.MaxValue],
                    ChannelMax = [1f / 3, float.Epsilon],
                    ChannelMean = [Math.PI, double.Epsilon],
                    PictureMin = new Moments(1d / 3, 0.1),
                    PictureMax = new Moments(1, 1),
                    Histogram = histogram,
                },
            ],
        };
    }

    private static byte[] Serialize(CalibrationStatistics statistics)
    {
        var stream = new MemoryStream();
        CalibrationCache.Write(statistics, stream);
        return stream.ToArray();
    }
}
