namespace SamCompress.Runtime.Segmentation;

/// <summary>A box in whole pixels, by two corners. As in SAM, those of a mask are its first and last pixels, while the right lower corner of a crop lies outside it.</summary>
public readonly record struct PixelBox(int Left, int Top, int Right, int Bottom)
{
    public int Width => Right - Left;

    public int Height => Bottom - Top;

    /// <summary>Width * height; 0 for a mask one pixel wide.</summary>
    public long Area => (long)Width * Height;

    public PixelBox Shift(int x, int y) => new(Left + x, Top + y, Right + x, Bottom + y);

    /// <summary>Area of the intersection over area of the union; not a number when both are 0.</summary>
    public static double Iou(PixelBox a, PixelBox b)
    {
        long width = Math.Max(0, Math.Min(a.Right, b.Right) - Math.Max(a.Left, b.Left)), height = Math.Max(0, Math.Min(a.Bottom, b.Bottom) - Math.Max(a.Top, b.Top));
        long intersection = width * height;
        return (double)intersection / (a.Area + b.Area - intersection);
    }

    /// <summary>
    /// Non-maximum suppression: goes through the boxes from the greatest score on, the first one among equals first, and drops those whose IoU with one that was kept is above the threshold.
    /// </summary>
    /// <returns>The places of the boxes that are kept, by falling score.</returns>
    public static IReadOnlyList<int> Suppress(IReadOnlyList<PixelBox> boxes, IReadOnlyList<double> scores, double threshold)
    {
        ArgumentNullException.ThrowIfNull(boxes);
        ArgumentNullException.ThrowIfNull(scores);
        var kept = new List<int>();
        foreach (int candidate in Enumerable.Range(0, boxes.Count).OrderByDescending(i => scores[i]))
        {
            if (!kept.Exists(k => Iou(boxes[k], boxes[candidate]) > threshold))
                kept.Add(candidate);
        }

        return kept;
    }
}
