namespace SamCompress.Runtime.Prompts;

/// <summary>A point in the pixels of the original, upright picture: (0,0) is its left upper corner.</summary>
/// <param name="IsForeground">Whether the object is wanted here, or not.</param>
public readonly record struct PromptPoint(double X, double Y, bool IsForeground = true);

/// <summary>A box around the object, in the pixels of the original, upright picture.</summary>
public readonly record struct PromptBox(double Left, double Top, double Right, double Bottom);

/// <summary>What a mask is asked for with: points, a box, or both, and the mask of an answer before.</summary>
public sealed record Prompt
{
    public IReadOnlyList<PromptPoint> Points { get; init; } = [];

    public PromptBox? Box { get; init; }

    /// <summary>Low-resolution logits that a decoder gave before, to be refined; null for none. Only the official decoder takes them.</summary>
    public ReadOnlyMemory<float>? MaskLogits { get; init; }

    public static Prompt At(double x, double y) => new() { Points = [new PromptPoint(x, y)] };

    public static Prompt Around(double left, double top, double right, double bottom) => new() { Box = new PromptBox(left, top, right, bottom) };

    /// <summary>One foreground point for each cell of an n x n grid, at (i + 0.5) / n of width and height, row by row.</summary>
    public static IReadOnlyList<Prompt> Grid(int side, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(side, 1);
        var prompts = new List<Prompt>(side * side);
        for (int y = 0; y < side; y++)
        {
            for (int x = 0; x < side; x++)
                prompts.Add(At((x + 0.5) / side * width, (y + 0.5) / side * height));
        }

        return prompts;
    }
}
