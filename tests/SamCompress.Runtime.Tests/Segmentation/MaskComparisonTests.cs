using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Segmentation;

namespace SamCompress.Runtime.Tests.Segmentation;

public sealed class MaskComparisonTests
{
    [Fact]
    public void Finds_the_mask_most_like_each()
    {
        MaskComparison comparison = MaskComparison.ByLikeness([Found("##.."), Found("...#"), Found("###.")], [Found("###."), Found("#...")]);

        // 2/3 and 1/2; nothing; 1 and 1/3.
        Assert.Equal([0, -1, 0], comparison.Partners);
        Assert.Equal([2.0 / 3, 0, 1], comparison.Ious);
        Assert.Equal(1, comparison.ExtraMasks);
    }

    [Fact]
    public void Compares_answers_to_the_same_prompt()
    {
        MaskComparison comparison = MaskComparison.InOrder([Found("##.."), Found("...#")], [Found("...#"), Found("..##")]);
        Assert.Equal([0, 0.5], comparison.Ious);
        Assert.Equal(0, comparison.ExtraMasks);
    }

    private static FoundMask Found(string text) => new(MaskText.Mask(text), default, 1, 1, Prompt.At(0, 0), default);
}
