using SamCompress.Runtime.Images;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Segmentation;

/// <summary>A mask that was found in a picture, with what SAM says of it.</summary>
/// <param name="Mask">Of the picture's size.</param>
/// <param name="Box">The first and last pixels of the mask; all 0 when it is empty.</param>
/// <param name="PredictedIou">The decoder's own estimate.</param>
/// <param name="Stability">See <see cref="ScaledMask.Stability"/>.</param>
/// <param name="Prompt">What it was asked for with, in the pixels of the picture.</param>
/// <param name="Crop">The part of the picture that the model saw.</param>
public sealed record FoundMask(BinaryMask Mask, PixelBox Box, double PredictedIou, double Stability, Prompt Prompt, PixelBox Crop)
{
    /// <summary>The first and last pixels of a mask; all 0 when it is empty.</summary>
    internal static PixelBox BoxOf(BinaryMask mask) => MaskShape.Bounds(mask) is { } b ? new PixelBox(b.Left, b.Top, b.Right - 1, b.Bottom - 1) : default;
}

/// <summary>What is done with all masks of a picture.</summary>
public static class FoundMasks
{
    /// <summary>Draws masks on the picture, large ones first, so that small ones stay visible.</summary>
    /// <param name="colour">The number of a mask's colour, by its place.</param>
    public static void Draw(Raster raster, IReadOnlyList<FoundMask> masks, Func<int, int> colour)
    {
        ArgumentNullException.ThrowIfNull(masks);
        ArgumentNullException.ThrowIfNull(colour);
        foreach (int i in Enumerable.Range(0, masks.Count).OrderByDescending(i => masks[i].Mask.Area))
            MaskOverlay.Draw(raster, masks[i].Mask, MaskOverlay.Colour(colour(i)));
    }
}

/// <summary>A mask before suppression, of which no more is kept than its box.</summary>
/// <param name="Window">The mask within the box.</param>
/// <param name="Box">In the pixels of the picture.</param>
internal sealed record Candidate(BinaryMask Window, PixelBox Box, double PredictedIou, double Stability, Prompt Prompt, PixelBox Crop)
{
    public FoundMask Place(int width, int height) => new(
        BinaryMask.Where(width, height, (x, y) => x >= Box.Left && x <= Box.Right && y >= Box.Top && y <= Box.Bottom && Window[x - Box.Left, y - Box.Top]),
        Box,
        PredictedIou,
        Stability,
        Prompt,
        Crop);
}
