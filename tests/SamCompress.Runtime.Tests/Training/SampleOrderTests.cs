using SamCompress.Runtime.Training;

namespace SamCompress.Runtime.Tests.Training;

public sealed class SampleOrderTests
{
    [Fact]
    public void Each_epoch_has_every_picture_once_in_an_order_of_its_own()
    {
        var order = new SampleOrder(50, 7);
        int[][] epochs = [.. Enumerable.Range(0, 4).Select(e => Enumerable.Range(0, 50).Select(i => order.At((e * 50) + i).Index).ToArray())];
        Assert.All(epochs, epoch => Assert.Equal(Enumerable.Range(0, 50), epoch.Order()));
        Assert.Equal(4, epochs.Select(e => string.Join(',', e)).Distinct().Count());
        Assert.Equal(2, order.At(149).Epoch);
        Assert.Equal(3, order.At(150).Epoch);
    }

    [Fact]
    public void A_position_alone_says_what_comes()
    {
        var forward = new SampleOrder(9, 3);
        SampleDraw[] draws = [.. Enumerable.Range(0, 40).Select(i => forward.At(i))];
        Assert.Equal(draws.Reverse(), Enumerable.Range(0, 40).Reverse().Select(i => new SampleOrder(9, 3).At(i)));
        Assert.NotEqual(draws, Enumerable.Range(0, 40).Select(i => new SampleOrder(9, 4).At(i)));
    }

    /// <summary>What a picture's place in the first three is, over many seeds: 6 orders of three pictures, each a sixth.</summary>
    [Fact]
    public void All_orders_are_equally_likely()
    {
        int[] counts = [.. Enumerable.Range(0, 6000).Select(seed => new SampleOrder(3, (ulong)seed)).Select(o => $"{o.At(0).Index}{o.At(1).Index}{o.At(2).Index}").GroupBy(o => o).Select(g => g.Count())];
        Assert.Equal(6, counts.Length);
        Assert.All(counts, c => Assert.InRange(c, 870, 1130)); // deviation 29
    }
}
