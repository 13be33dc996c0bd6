using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Segmentation;
using static SamCompress.Runtime.Tests.Segmentation.MaskText;

namespace SamCompress.Runtime.Tests.Segmentation;

public sealed class SmallRegionsTests
{
    [Theory]
    [InlineData("#####/#.###/#####/.....", 2, "#####/#####/#####/.....")] // a hole of one pixel
    [InlineData("#####/#..##/#####/.....", 2, "#####/#..##/#####/.....")] // a hole of two stays
    [InlineData("##..#/##.../##.../.....", 2, "##.../##.../##.../.....")] // an island of one pixel
    [InlineData("##.../##.../..#../.....", 2, "##.../##.../..#../.....")] // joined at a corner
    [InlineData("#..../...##/...../.....", 4, "...../...##/...../.....")] // all are small: the largest stays
    [InlineData("#..../...#./...../.....", 4, "#..../...../...../.....")] // the first among equals
    [InlineData("###../#.#../##.#./....#", 3, "###../#.#../##.#./....#")] // no hole: it opens through a corner
    public void Fills_holes_and_removes_islands(string before, int area, string after) => Assert.Equal(after, Text(SmallRegions.Remove(Mask(before), area)));

    [Theory]
    [InlineData("##../##../....")]
    [InlineData("..../..../....")]
    public void Gives_the_same_mask_when_nothing_is_small(string text)
    {
        BinaryMask mask = Mask(text);
        Assert.Same(mask, SmallRegions.Remove(mask, 2));
    }
}
