using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Segmentation;

/// <summary>Takes small holes and islands out of masks, as SAM's <c>remove_small_regions</c> does with 8-connected regions.</summary>
public static class SmallRegions
{
    /// <summary>Fills holes, then removes islands, that have fewer pixels than an area; when all islands are small the largest stays, the first one among equals.</summary>
    /// <returns>The same mask when nothing changed.</returns>
    public static BinaryMask Remove(BinaryMask mask, int area)
    {
        ArgumentNullException.ThrowIfNull(mask);
        (int[] holes, List<int> holeSizes) = Label(mask, isInside: false);
        if (holeSizes.Exists(s => s < area))
            mask = BinaryMask.Where(mask.Width, mask.Height, (x, y) => Region(holes, mask.Width, x, y) is var r && (r < 0 || holeSizes[r] < area));
        (int[] islands, List<int> sizes) = Label(mask, isInside: true);
        if (!sizes.Exists(s => s < area))
            return mask;
        int largest = sizes.IndexOf(sizes.Max());
        bool keepsLargest = sizes[largest] < area;
        return BinaryMask.Where(mask.Width, mask.Height, (x, y) => Region(islands, mask.Width, x, y) is var r && r >= 0 && (sizes[r] >= area || (keepsLargest && r == largest)));
    }

    private static int Region(int[] regions, int width, int x, int y) => regions[(y * width) + x] - 1;

    /// <summary>The 8-connected regions of a kind, numbered from 1 in the order of their first pixels; 0 for the other kind.</summary>
    private static (int[] Regions, List<int> Sizes) Label(BinaryMask mask, bool isInside)
    {
        var regions = new int[mask.Width * mask.Height];
        var sizes = new List<int>();
        var open = new Stack<(int X, int Y)>();
        for (int y = 0; y < mask.Height; y++)
        {
            for (int x = 0; x < mask.Width; x++)
            {
                if (!TryEnter(x, y, sizes.Count + 1))
                    continue;
                int size = 0;
                for (; open.TryPop(out (int X, int Y) pixel); size++)
                {
                    for (int place = 0; place < 9; place++)
                        TryEnter(pixel.X + (place % 3) - 1, pixel.Y + (place / 3) - 1, sizes.Count + 1);
                }

                sizes.Add(size);
            }
        }

        return (regions, sizes);

        bool TryEnter(int x, int y, int region)
        {
            if (x < 0 || y < 0 || x >= mask.Width || y >= mask.Height || mask[x, y] != isInside || regions[(y * mask.Width) + x] != 0)
                return false;
            regions[(y * mask.Width) + x] = region;
            open.Push((x, y));
            return true;
        }
    }
}
