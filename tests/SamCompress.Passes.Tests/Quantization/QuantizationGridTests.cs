using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class QuantizationGridTests
{
    [Theory]
    [InlineData(-1, 2, 3f / 255, 85)]
    [InlineData(0.5f, 2, 2f / 255, 0)] // widened to hold zero
    [InlineData(-3, -1, 3f / 255, 255)]
    [InlineData(0, 0, 1, 0)]
    [InlineData(0, 1e-40f, 1, 0)] // a subnormal scale is none
    [InlineData(-float.MaxValue, float.MaxValue, 2.66888115e36f, 128)] // 127.5 rounds to even
    public void Affine_grid_covers_range_and_zero(float min, float max, float scale, int zeroPoint)
    {
        QuantizationGrid grid = QuantizationGrid.Affine(min, max, 0, 255);
        Assert.Equal(scale, grid.Scale);
        Assert.Equal(zeroPoint, grid.ZeroPoint);
        Assert.Equal(0, grid.Round(0));
    }

    [Fact]
    public void Symmetric_grid_has_zero_point_zero()
    {
        Assert.Equal(new QuantizationGrid(2, 0, -127, 127), QuantizationGrid.Symmetric(254, 127));
        Assert.Equal(1, QuantizationGrid.Symmetric(0, 127).Scale);
    }

    [Theory]
    [InlineData(0.5f, 10)] // half to even
    [InlineData(1.5f, 12)]
    [InlineData(2.5f, 12)]
    [InlineData(-0.5f, 10)]
    [InlineData(-11f, 0)] // saturates
    [InlineData(1e9f, 255)]
    public void Quantizes_as_QuantizeLinear_is_defined(float value, int expected) =>
        Assert.Equal(expected, new QuantizationGrid(1, 10, 0, 255).Quantize(value));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Refuses_a_range_that_is_not_finite(float bound) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => QuantizationGrid.Affine(0, bound, 0, 255));
}
