namespace SamCompress.Runtime.Segmentation;

/// <summary>The crops of SAM's automatic mask generator: layer 0 is the picture, layer i has 2^i by 2^i crops that overlap (<c>generate_crop_boxes</c> in utils/amg.py).</summary>
public static class CropBoxes
{
    /// <param name="layers">How many layers beside the picture itself.</param>
    /// <param name="overlap">Of crops in the first layer, as a share of the picture's short side; half of it in each layer after.</param>
    public static IReadOnlyList<(PixelBox Box, int Layer)> Of(int width, int height, int layers, double overlap)
    {
        var crops = new List<(PixelBox, int)> { (new PixelBox(0, 0, width, height), 0) };
        for (int layer = 1; layer <= layers; layer++)
        {
            int side = 1 << layer, shared = (int)(overlap * Math.Min(width, height) * (2.0 / side));
            int cropWidth = Length(width, side, shared), cropHeight = Length(height, side, shared);
            for (int i = 0; i < side; i++)
            {
                for (int j = 0; j < side; j++)
                {
                    int x = (cropWidth - shared) * i, y = (cropHeight - shared) * j;
                    crops.Add((new PixelBox(x, y, Math.Min(x + cropWidth, width), Math.Min(y + cropHeight, height)), layer));
                }
            }
        }

        return crops;
    }

    /// <summary>Whether a side of a mask's box lies at a side of the crop that is no side of the picture: such a mask is cut off.</summary>
    /// <param name="box">In the pixels of the picture.</param>
    public static bool IsCutOff(PixelBox box, PixelBox crop, int width, int height)
    {
        return Touches(box.Left, crop.Left, 0) || Touches(box.Top, crop.Top, 0) || Touches(box.Right, crop.Right, width) || Touches(box.Bottom, crop.Bottom, height);

        static bool Touches(int side, int cropSide, int pictureSide)
        {
            const int near = 20;
            return Math.Abs(side - cropSide) <= near && Math.Abs(side - pictureSide) > near;
        }
    }

    private static int Length(int whole, int crops, int overlap) => (int)Math.Ceiling(((overlap * (crops - 1)) + whole) / (double)crops);
}
