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
        var forward = new SampleOrder(9, 3, flips: true);
        SampleDraw[] draws = [.. Enumerable.Range(0, 40).Select(i => forward.At(i))];
        Assert.Equal(draws.Reverse(), Enumerable.Range(0, 40).Reverse().Select(i => new SampleOrder(9, 3, flips: true).At(i)));
        Assert.NotEqual(draws, Enumerable.Range(0, 40).Select(i => new SampleOrder(9, 4, flips: true).At(i)));
    }

    [Fact]
    public void Half_of_the_pictures_are_mirrored_when_they_may_be()
    {
        var order = new SampleOrder(1000, 1, flips: true);
        SampleDraw[] draws = [.. Enumerable.Range(0, 2000).Select(i => order.At(i))];
        Assert.InRange(draws.Count(d => d.IsFlipped), 900, 1100); // deviation 22
        Assert.Contains(draws.GroupBy(d => d.Index), g => g.Select(d => d.IsFlipped).Distinct().Count() == 2);
        var plain = new SampleOrder(1000, 1);
        Assert.All(Enumerable.Range(0, 1000), i => Assert.False(plain.At(i).IsFlipped));
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
