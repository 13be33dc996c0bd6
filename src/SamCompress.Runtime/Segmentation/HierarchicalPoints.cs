using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Segmentation;

/// <summary>
/// The points of TinySAM's two rounds (hierarchical_mask_generator.py). Both together are the n x n grid: each coarse point stands for a cell of 4 x 4 fine ones, at its second row and column.
/// A number of points that is no multiple of 4 is rounded up to one.
/// </summary>
public static class HierarchicalPoints
{
    private const int Cell = 4;

    /// <summary>The points on a side in the first round: a quarter of those of the grid.</summary>
    public static int CoarseSide(int side) => (side + Cell - 1) / Cell;

    /// <summary>The points of the first round.</summary>
    /// <param name="side">n, of the whole grid.</param>
    public static IReadOnlyList<Prompt> Coarse(int side, int width, int height) => Prompt.Grid(CoarseSide(side), width, height);

    /// <summary>
    /// The points of the second round: the 15 others of each cell, in whole steps of the picture's size over n from the coarse point, without those outside the picture or in the confident region.
    /// A side of less than n pixels has no step, and so no others along it.
    /// </summary>
    /// <param name="isConfident">Of a pixel, by x and y.</param>
    public static IReadOnlyList<Prompt> Fine(int side, int width, int height, Func<int, int, bool> isConfident)
    {
        ArgumentNullException.ThrowIfNull(isConfident);
        int coarse = CoarseSide(side), stepX = width / (coarse * Cell), stepY = height / (coarse * Cell);
        var points = new List<Prompt>();
        foreach (PromptPoint centre in Prompt.Grid(coarse, width, height).Select(p => p.Points[0]))
        {
            foreach (double y in Steps(centre.Y, stepY, height))
            {
                foreach (double x in Steps(centre.X, stepX, width))
                {
                    if ((x != centre.X || y != centre.Y) && !isConfident((int)x, (int)y))
                        points.Add(Prompt.At(x, y));
                }
            }
        }

        return points;
    }

    /// <summary>One step back to two steps on; the last only when it lies within the picture.</summary>
    private static IEnumerable<double> Steps(double centre, int step, int length)
    {
        if (step == 0)
            return [centre];
        return centre + (2 * step) < length ? [centre - step, centre, centre + step, centre + (2 * step)] : [centre - step, centre, centre + step];
    }
}
