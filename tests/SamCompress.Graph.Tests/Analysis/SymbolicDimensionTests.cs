using SamCompress.IR.Analysis;

namespace SamCompress.IR.Tests.Analysis;

public sealed class SymbolicDimensionTests
{
    [Fact]
    public void Adds_numbers_to_names()
    {
        Dimension n = Dimension.Of("N");
        Assert.Equal("N + 6", SymbolicDimension.Add(SymbolicDimension.Add(n, 5), 1).ToString());
        Assert.Equal("N", SymbolicDimension.Subtract(SymbolicDimension.Add(n, 5), 5).ToString());
        Assert.Equal("N - 2", SymbolicDimension.Subtract(n, 2).ToString());
        Assert.Equal(Dimension.Of(5), SymbolicDimension.Subtract(SymbolicDimension.Add(n, 6), SymbolicDimension.Add(n, 1)));
    }

    [Fact]
    public void Gives_up_on_sums_and_products_of_names()
    {
        Dimension n = Dimension.Of("N");
        Dimension m = Dimension.Of("M");
        Assert.Equal(Dimension.Unknown, SymbolicDimension.Add(n, m));
        Assert.Equal(Dimension.Unknown, SymbolicDimension.Subtract(n, m));
        Assert.Equal(Dimension.Unknown, SymbolicDimension.Multiply(n, 2));
        Assert.Equal(n, SymbolicDimension.Multiply(1, n));
        Assert.Equal(Dimension.Of(0), SymbolicDimension.Multiply(n, 0));
    }

    [Fact]
    public void Overflow_is_unknown()
    {
        Assert.Equal(Dimension.Unknown, SymbolicDimension.Multiply(long.MaxValue, 2));
        Assert.Equal(Dimension.Unknown, SymbolicDimension.Add(long.MaxValue, 1));
        Assert.Equal(Dimension.Unknown, SymbolicDimension.Subtract(long.MinValue, 1));
    }
}
