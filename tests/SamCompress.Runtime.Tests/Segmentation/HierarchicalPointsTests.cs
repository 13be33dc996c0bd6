using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Segmentation;

namespace SamCompress.Runtime.Tests.Segmentation;

public sealed class HierarchicalPointsTests
{
    /// <summary>TinySAM with 32 points on a side: a side that is a multiple of 32 loses its last fine row or column, because the guard is strict.</summary>
    [Theory]
    [InlineData(640, 480, 897)]
    [InlineData(1024, 1024, 897)]
    [InlineData(640, 427, 928)]
    [InlineData(333, 480, 928)]
    [InlineData(500, 375, 960)]
    [InlineData(33, 33, 960)]
    public void Asks_64_and_then_as_many_as_TinySAM(int width, int height, int fine)
    {
        Assert.Equal(64, HierarchicalPoints.Coarse(32, width, height).Count);
        Assert.Equal(fine, HierarchicalPoints.Fine(32, width, height, (_, _) => false).Count);
        Assert.Empty(HierarchicalPoints.Fine(32, width, height, (_, _) => true));
    }

    /// <summary>4 points on a side of 42 x 10 pixels: one coarse point at (21, 5), steps of 10 and 2; (21 + 20, 5 + 4) lies within.</summary>
    [Fact]
    public void Surrounds_a_coarse_point_with_the_rest_of_its_cell()
    {
        Assert.Equal(new PromptPoint(21, 5), Assert.Single(Assert.Single(HierarchicalPoints.Coarse(4, 42, 10)).Points));
        IEnumerable<(double, double)> expected = from y in (double[])[3, 5, 7, 9] from x in (double[])[11, 21, 31, 41] where (x, y) != (21, 5) select (x, y);
        Assert.Equal(expected, HierarchicalPoints.Fine(4, 42, 10, (_, _) => false).Select(p => (p.Points[0].X, p.Points[0].Y)));
    }

    /// <summary>Coarse points at 2.5 and 7.5 of 10, steps of 1: the pixel of 2.5 - 1 is 1.</summary>
    [Fact]
    public void Leaves_out_points_whose_pixel_is_confident()
    {
        var asked = new HashSet<int>();
        Assert.Empty(HierarchicalPoints.Fine(8, 10, 10, (x, _) => asked.Add(x) || true));
        Assert.Equal([1, 2, 3, 4, 6, 7, 8, 9], asked.Order());
        Assert.All(HierarchicalPoints.Fine(8, 10, 10, (x, y) => x >= 5 || y >= 5), p => Assert.True(p.Points[0].X < 5 && p.Points[0].Y < 5));
    }

    /// <summary>n is rounded up to a multiple of 4. A picture with fewer pixels than n on a side has no other points along it.</summary>
    [Theory]
    [InlineData(30, 1000, 1001, 64, 960)]
    [InlineData(1, 101, 101, 1, 15)]
    [InlineData(32, 1, 1, 64, 0)]
    [InlineData(32, 1000, 1, 64, 192)]
    public void Bears_any_number_of_points_and_any_picture(int side, int width, int height, int coarse, int fine)
    {
        Assert.Equal(coarse, HierarchicalPoints.Coarse(side, width, height).Count);
        IReadOnlyList<Prompt> points = HierarchicalPoints.Fine(side, width, height, (_, _) => false);
        Assert.Equal(fine, points.Count);
        Assert.All(points, p => Assert.True(p.Points[0].X >= 0 && p.Points[0].X < width && p.Points[0].Y >= 0 && p.Points[0].Y < height));
    }
}
