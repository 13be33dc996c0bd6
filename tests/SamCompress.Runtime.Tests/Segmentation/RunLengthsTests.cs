using SamCompress.Runtime.Segmentation;
using static SamCompress.Runtime.Tests.Segmentation.MaskText;

namespace SamCompress.Runtime.Tests.Segmentation;

public sealed class RunLengthsTests
{
    /// <summary>Column by column, beginning with what does not belong to the mask.</summary>
    [Theory]
    [InlineData("..../....", "8")]
    [InlineData("####/####", "0 8")]
    [InlineData("#.../....", "0 1 7")]
    [InlineData(".#../.#..", "2 2 4")]
    [InlineData("##../#...", "0 3 5")]
    [InlineData("...#/..##", "5 3")]
    [InlineData("#.#/.#./#.#", "0 1 1 1 1 1 1 1 1 1")]
    public void Counts_runs_along_columns(string mask, string counts) => Assert.Equal(counts, string.Join(' ', RunLengths.Of(Mask(mask)).Counts));

    /// <summary>
    /// By hand after rleToString: 6 is '6'. 31 = 0b11111 is the group 31 with more to follow, because its fifth bit is set, then 0: 'o' and '0'. 32 is the group 0 with more, then 1:
    /// 'P' and '1'. 16 is 16 with more, then 0: '`' and '0'. The fourth count on is a difference: 5 - 6 = -1 is the group 31 without more, 'O'; 2 - 40 = -38 is 0b11010 with more
    /// (58 + 48 = 'j'), then -2, 30: 'N'.
    /// </summary>
    [Theory]
    [InlineData("6", new[] { 6 })]
    [InlineData("0o0", new[] { 0, 31 })]
    [InlineData("P1", new[] { 32 })]
    [InlineData("`0", new[] { 16 })]
    [InlineData("061O", new[] { 0, 6, 1, 5 })]
    [InlineData("0X11jN", new[] { 0, 40, 1, 2 })]
    [InlineData("PP1", new[] { 1024 })]
    public void Compresses_as_COCO_does(string text, int[] counts) => Assert.Equal(text, new RunLengths(1, 1, counts).ToCocoText());
}
