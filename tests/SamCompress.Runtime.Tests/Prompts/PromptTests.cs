using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Tests.Prompts;

public sealed class PromptTests
{
    [Fact]
    public void Puts_grid_points_into_the_middle_of_cells_row_by_row()
    {
        IReadOnlyList<Prompt> grid = Prompt.Grid(2, 320, 240);
        Assert.Equal([(80.0, 60.0), (240, 60), (80, 180), (240, 180)], grid.Select(p => (p.Points[0].X, p.Points[0].Y)));
        Assert.All(grid, p => Assert.True(p.Points[0].IsForeground));
        Assert.Equal(16, Prompt.Grid(4, 1, 1).Count);
    }

    [Fact]
    public void Refuses_an_empty_grid() => Assert.Throws<ArgumentOutOfRangeException>(() => Prompt.Grid(0, 1, 1));
}
