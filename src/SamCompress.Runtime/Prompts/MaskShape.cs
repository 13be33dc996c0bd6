namespace SamCompress.Runtime.Prompts;

/// <summary>Where the pixels of a mask lie.</summary>
public static class MaskShape
{
    /// <summary>Larger windows are looked at in steps, so that no more pixels than this are on a side.</summary>
    private const int MostSamples = 512;

    /// <summary>Chamfer weights: a step along an axis, and one along a diagonal, in thirds of a pixel.</summary>
    private const int Straight = 3;
    private const int Diagonal = 4;

    /// <summary>The smallest window that holds all pixels of the mask, ends excluded; null when the mask is empty.</summary>
    public static (int Left, int Top, int Right, int Bottom)? Bounds(BinaryMask mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        int left = mask.Width, top = -1, right = 0, bottom = 0;
        for (int y = 0; y < mask.Height; y++)
        {
            for (int x = 0; x < mask.Width; x++)
            {
                if (!mask[x, y])
                    continue;
                top = top < 0 ? y : top;
                bottom = y + 1;
                left = Math.Min(left, x);
                right = Math.Max(right, x + 1);
            }
        }

        return top < 0 ? null : (left, top, right, bottom);
    }

    /// <summary>
    /// The pixel of the window that lies farthest from every pixel of the other kind, and from what is beyond the window; the first one,
    /// row by row, among equals. Distances are chamfer distances (3, 4).
    /// </summary>
    /// <param name="isInside">Whether a pixel of the mask is sought, or one beside it.</param>
    /// <returns>Null when the window holds none.</returns>
    public static (int X, int Y)? Deepest(BinaryMask mask, (int Left, int Top, int Right, int Bottom) window, bool isInside = true)
    {
        ArgumentNullException.ThrowIfNull(mask);
        int step = Math.Max(1, (Math.Max(window.Right - window.Left, window.Bottom - window.Top) + MostSamples - 1) / MostSamples);
        int columns = (window.Right - window.Left + step - 1) / step, rows = (window.Bottom - window.Top + step - 1) / step;

        // A frame of zeros stands for what is beyond the window.
        int width = columns + 2;
        var distance = new int[width * (rows + 2)];
        for (int y = 0; y < rows; y++)
        {
            for (int x = 0; x < columns; x++)
            {
                if (mask[window.Left + (x * step), window.Top + (y * step)] != isInside)
                    continue;
                int place = ((y + 1) * width) + x + 1;
                distance[place] = Math.Min(
                    Math.Min(distance[place - 1], distance[place - width]) + Straight,
                    Math.Min(distance[place - width - 1], distance[place - width + 1]) + Diagonal);
            }
        }

        int best = 0;
        for (int place = distance.Length - width - 2; place > width; place--)
        {
            if (distance[place] == 0)
                continue;
            distance[place] = Math.Min(distance[place], Math.Min(
                Math.Min(distance[place + 1], distance[place + width]) + Straight,
                Math.Min(distance[place + width + 1], distance[place + width - 1]) + Diagonal));
            if (distance[place] >= distance[best])
                best = place;
        }

        return distance[best] == 0 ? null : (window.Left + (((best % width) - 1) * step), window.Top + (((best / width) - 1) * step));
    }
}
