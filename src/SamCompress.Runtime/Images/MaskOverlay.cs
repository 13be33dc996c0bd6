using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Images;

/// <summary>Shows masks on a picture: a tint inside, a clear line at the edge.</summary>
public static class MaskOverlay
{
    private const float Tint = 0.45f;
    private const float Edge = 0.95f;

    /// <summary>The golden angle in turns: hues that follow each other lie far apart, however many there are.</summary>
    private const double HueStep = 0.381966;

    /// <summary>Draws masks of the picture's size, one after the other, so that later ones are on top.</summary>
    /// <exception cref="ArgumentException">A mask has another size than the picture.</exception>
    public static void Draw(Raster raster, IReadOnlyList<BinaryMask> masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        for (int i = 0; i < masks.Count; i++)
            Draw(raster, masks[i], Colour(i));
    }

    /// <inheritdoc cref="Draw(Raster, IReadOnlyList{BinaryMask})"/>
    public static void Draw(Raster raster, BinaryMask mask, (byte R, byte G, byte B) colour)
    {
        ArgumentNullException.ThrowIfNull(raster);
        ArgumentNullException.ThrowIfNull(mask);
        if (mask.Width != raster.Width || mask.Height != raster.Height)
            throw new ArgumentException($"a mask of {mask.Width} x {mask.Height} does not fit a picture of {raster.Width} x {raster.Height}");
        for (int y = 0; y < mask.Height; y++)
        {
            for (int x = 0; x < mask.Width; x++)
            {
                if (mask[x, y])
                    raster.Blend(x, y, colour, IsEdge(mask, x, y) ? Edge : Tint);
            }
        }
    }

    /// <summary>The colour of the i-th mask.</summary>
    public static (byte R, byte G, byte B) Colour(int index)
    {
        double hue = 6 * (((index * HueStep) + 0.58) % 1);
        return (Channel(hue, 5), Channel(hue, 3), Channel(hue, 1));
    }

    /// <summary>Of a hue in sixths of a turn, at a saturation of 0.75 and full value.</summary>
    private static byte Channel(double hue, int place)
    {
        double k = (place + hue) % 6;
        return (byte)Math.Round(255 * (1 - (0.75 * Math.Clamp(Math.Min(k, 4 - k), 0, 1))));
    }

    /// <summary>Whether a neighbour in the picture does not belong to the mask; the border of the picture is no edge.</summary>
    private static bool IsEdge(BinaryMask mask, int x, int y) =>
        (x > 0 && !mask[x - 1, y]) || (x + 1 < mask.Width && !mask[x + 1, y]) || (y > 0 && !mask[x, y - 1]) || (y + 1 < mask.Height && !mask[x, y + 1]);
}
