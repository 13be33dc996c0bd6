using SamCompress.Passes.Quantization.Search;

namespace SamCompress.Passes.Tests.Quantization.Search;

public sealed class DenseMatrixTests
{
    [Fact]
    public void Adds_the_product_to_what_is_there()
    {
        float[] sum = [100, 0, 0, -100];
        DenseMatrix.MultiplyAdd([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], sum, 2, 3, 2);
        Assert.Equal([158, 64, 139, 54], sum);
    }

    [Fact]
    public void Takes_the_product_away_when_asked()
    {
        float[] sum = [100, 0, 0, -100];
        DenseMatrix.MultiplyAdd([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], sum, 2, 3, 2, negate: true);
        Assert.Equal([42, -64, -139, -254], sum);
    }

    /// <summary>Sizes around four rows, around the tile of 64 and around two vectors of any width. Integers, so that the sums are exact.</summary>
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(4, 64, 16)]
    [InlineData(5, 65, 17)]
    [InlineData(7, 3, 33)]
    [InlineData(8, 130, 47)]
    [InlineData(3, 129, 5)]
    public void Sizes_beyond_tiles_and_vectors_equal_three_loops(int m, int k, int n)
    {
        var random = new Random(m + k + n);
        float[] a = Integers(m * k), b = Integers(k * n), sum = Integers(m * n), difference = [.. sum], expectedSum = [.. sum], expectedDifference = [.. sum];
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double product = 0;
                for (int p = 0; p < k; p++)
                    product += (double)a[(i * k) + p] * b[(p * n) + j];
                expectedSum[(i * n) + j] += (float)product;
                expectedDifference[(i * n) + j] -= (float)product;
            }
        }

        DenseMatrix.MultiplyAdd(a, b, sum, m, k, n);
        DenseMatrix.MultiplyAdd(a, b, difference, m, k, n, negate: true);
        Assert.Equal(expectedSum, sum);
        Assert.Equal(expectedDifference, difference);

        float[] Integers(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(-9, 10))];
    }
}
