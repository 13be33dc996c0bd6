using SamCompress.Passes.Repair;

namespace SamCompress.Passes.Tests.Repair;

public sealed class RegressionSumsTests
{
    [Fact]
    public void Sums_rows_less_their_shifts()
    {
        RegressionSums sums = RegressionRows.Sum([[11, 2], [13, 0]], [[105], [97]], [10, 1], [100]);

        // Shifted: x = (1, 1), (3, -1), y = 5, -3.
        Assert.Equal([1 + 9, 1 - 3, 1 - 3, 1 + 1], sums.Xx.ToArray());
        Assert.Equal([5 - 9, 5 + 3], sums.Xy.ToArray());
        Assert.Equal([4, 0], sums.X.ToArray());
        Assert.Equal([2], sums.Y.ToArray());
        Assert.Equal([25 + 9], sums.Yy.ToArray());
        Assert.Equal([16 + 16], sums.Variation());
        Assert.Equal(2, sums.Rows);
    }

    [Fact]
    public void Sums_of_two_sets_add_up()
    {
        RegressionSums one = RegressionRows.Sum([[1, 2]], [[3]]), both = RegressionRows.Sum([[1, 2], [4, 5]], [[3], [6]]);
        one.Add(RegressionRows.Sum([[4, 5]], [[6]]));
        Assert.Equal(both.Xx.ToArray(), one.Xx.ToArray());
        Assert.Equal(both.Xy.ToArray(), one.Xy.ToArray());
        Assert.Equal(both.X.ToArray(), one.X.ToArray());
        Assert.Equal(both.Y.ToArray(), one.Y.ToArray());
        Assert.Equal(both.Yy.ToArray(), one.Yy.ToArray());
        Assert.Equal(2, one.Rows);
        Assert.Throws<ArgumentException>(() => one.Add(RegressionRows.Sum([[1, 2]], [[3]], [1, 0])));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(1e30f)] // its square is no float
    public void What_is_not_finite_is_refused_and_not_added(float value)
    {
        RegressionSums sums = RegressionRows.Sum([[1, 2]], [[3]]);
        Assert.Equal(FailureKind.InputRejected, Assert.Throws<SamCompressException>(() => sums.Add([1, value * value, 1, 1], [1, 1], [1, 1], [1], [1], 1)).Kind);
        Assert.Equal(FailureKind.InputRejected, Assert.Throws<SamCompressException>(() => sums.Add([1, 1, 1, 1], [1, 1], [1, 1], [1], [value * value], 1)).Kind);
        Assert.Equal([1, 2, 2, 4], sums.Xx.ToArray());
        Assert.Equal(1, sums.Rows);
    }

    [Fact]
    public void A_shift_that_is_not_finite_is_refused() => Assert.Throws<SamCompressException>(() => new RegressionSums([float.NaN], [0]));
}
