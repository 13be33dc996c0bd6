using SamCompress.Passes.Attention;

namespace SamCompress.Passes.Tests.Attention;

public sealed class ChannelMapTests
{
    /// <summary>Two tokens with the columns of a fused Linear: three parts of two heads of four channels.</summary>
    private static ChannelMap Fused => ChannelMap.Of([2, 24], -1).Reshape([2, 3, 2, 4])!;

    [Fact]
    public void Splits_an_axis_into_digits() => Assert.Equal("0 + [2x0, 3x8, 2x4, 4x1]", Fused.ToString());

    [Fact]
    public void Puts_digits_back_together() => Assert.Equal("0 + [2x0, 24x1]", Fused.Reshape([2, 24])!.ToString());

    [Fact]
    public void Moves_axes() => Assert.Equal("0 + [3x8, 2x4, 2x0, 4x1]", Fused.Transpose([1, 2, 0, 3]).ToString());

    [Fact]
    public void Merges_batch_and_heads_into_one_axis() =>
        Assert.Equal("0 + [3x8, 5x0 2x4, 7x0, 4x1]", ChannelMap.Of([5, 7, 24], -1).Reshape([5, 7, 3, 2, 4])!.Transpose([2, 0, 3, 1, 4]).Reshape([3, 10, 7, 4])!.ToString());

    [Fact]
    public void Takes_part_of_an_axis() => Assert.Equal("8 + [2x0, , 2x4, 4x1]", Fused.Slice(1, 1, 1)!.ToString());

    [Fact]
    public void Takes_whole_outer_digits_of_an_axis() => Assert.Equal("8 + [2x0, 16x1]", ChannelMap.Of([2, 24], -1).Slice(1, 8, 16)!.ToString());

    [Fact]
    public void Takes_a_part_within_one_outer_digit()
    {
        ChannelMap merged = Fused.Transpose([0, 2, 1, 3]).Reshape([2, 24])!; // head, part, channel
        Assert.Equal("0 + [2x0, 2x4 3x8 4x1]", merged.ToString());
        Assert.Equal("12 + [2x0, 4x1]", merged.Slice(1, 16, 4)!.ToString());
        Assert.Equal([12L, 13, 14, 15], merged.Slice(1, 16, 4)!.Channels());
    }

    [Fact]
    public void Steps_over_channels() => Assert.Equal([1L, 3, 5, 7], ChannelMap.Of([8], 0).Slice(0, 1, 4, 2)!.Along(0).Select(c => c + 1));

    [Theory]
    [InlineData(new long[] { 3, 16 })] // cuts through the tokens
    [InlineData(new long[] { 2, 12 })] // loses elements
    [InlineData(new long[] { 2, 48 })] // has more
    public void Says_so_when_a_reshape_is_not_regular(long[] sizes) => Assert.Null(ChannelMap.Of([2, 24], -1).Reshape(sizes));

    [Theory]
    [InlineData(3, 4, 1)] // across two heads, from the middle of one
    [InlineData(0, 4, 2)] // a step over the border of a head
    [InlineData(20, 5, 1)] // beyond the end
    [InlineData(-1, 2, 1)]
    public void Says_so_when_a_slice_is_not_regular(long start, long count, long step) =>
        Assert.Null(Fused.Transpose([0, 2, 1, 3]).Reshape([2, 24])!.Slice(1, start, count, step));

    [Fact]
    public void Knows_the_axes_with_channels() => Assert.Equal([false, true, true, true], Enumerable.Range(0, 4).Select(Fused.HasChannels));
}
