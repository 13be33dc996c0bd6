using System.Numerics;

namespace SamCompress.Runtime.Prompts;

/// <summary>A mask of yes and no for every pixel, one bit each.</summary>
public sealed class BinaryMask
{
    private const int WordBits = 64;

    private readonly ulong[] _words;

    /// <param name="words">Rows one after another, 64 pixels a word, the first in the lowest bit; bits beyond the last pixel are 0.</param>
    internal BinaryMask(int width, int height, ulong[] words)
    {
        if (words.Length != WordCount(width, height))
            throw new ArgumentException($"{width} x {height} pixels need {WordCount(width, height)} words, not {words.Length}");
        Width = width;
        Height = height;
        _words = words;
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>How many pixels belong to the mask.</summary>
    public long Area => _words.Sum(w => (long)BitOperations.PopCount(w));

    internal ReadOnlySpan<ulong> Words => _words;

    public bool this[int x, int y]
    {
        get
        {
            long place = ((long)y * Width) + x;
            return (_words[place / WordBits] >> (int)(place % WordBits) & 1) != 0;
        }
    }

    internal static int WordCount(int width, int height) => (int)((((long)width * height) + WordBits - 1) / WordBits);

    /// <summary>The pixels whose logit is above 0, as SAM decides; the left upper part of a plane.</summary>
    /// <param name="stride">The width of the plane.</param>
    public static BinaryMask FromLogits(ReadOnlySpan<float> logits, int stride, int width, int height)
    {
        var words = new ulong[WordCount(width, height)];
        long place = 0;
        for (int y = 0; y < height; y++)
        {
            foreach (float logit in logits.Slice(y * stride, width))
            {
                if (logit > 0)
                    words[place / WordBits] |= 1UL << (int)(place % WordBits);
                place++;
            }
        }

        return new BinaryMask(width, height, words);
    }

    /// <summary>The pixels that belong to one of two masks.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static BinaryMask Difference(BinaryMask a, BinaryMask b)
    {
        if (a.Width != b.Width || a.Height != b.Height)
            throw new ArgumentException($"masks of {a.Width} x {a.Height} and {b.Width} x {b.Height} pixels cannot be compared");
        return new BinaryMask(a.Width, a.Height, [.. a._words.Zip(b._words, (x, y) => x ^ y)]);
    }

    /// <summary>A pixel of the mask by its number, row by row.</summary>
    /// <param name="number">From 0 to before <see cref="Area"/>.</param>
    public (int X, int Y) Pixel(long number)
    {
        for (int word = 0; word < _words.Length; word++)
        {
            int count = BitOperations.PopCount(_words[word]);
            if (number >= count)
            {
                number -= count;
                continue;
            }

            ulong left = _words[word];
            for (; number > 0; number--)
                left &= left - 1;
            (int y, int x) = Math.DivRem((word * WordBits) + BitOperations.TrailingZeroCount(left), Width);
            return (x, y);
        }

        throw new ArgumentOutOfRangeException(nameof(number), "the mask has fewer pixels");
    }

    /// <summary>Area of the intersection over area of the union; 1 when both are empty.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Iou(BinaryMask a, BinaryMask b)
    {
        if (a.Width != b.Width || a.Height != b.Height)
            throw new ArgumentException($"masks of {a.Width} x {a.Height} and {b.Width} x {b.Height} pixels cannot be compared");
        long intersection = 0;
        long union = 0;
        for (int i = 0; i < a._words.Length; i++)
        {
            intersection += BitOperations.PopCount(a._words[i] & b._words[i]);
            union += BitOperations.PopCount(a._words[i] | b._words[i]);
        }

        return union == 0 ? 1 : (double)intersection / union;
    }

    /// <summary>The pixels that belong to one of two masks of the same size.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static BinaryMask Union(BinaryMask a, BinaryMask b)
    {
        if (a.Width != b.Width || a.Height != b.Height)
            throw new ArgumentException($"masks of {a.Width} x {a.Height} and {b.Width} x {b.Height} pixels cannot be joined");
        var words = new ulong[a._words.Length];
        for (int i = 0; i < words.Length; i++)
            words[i] = a._words[i] | b._words[i];
        return new BinaryMask(a.Width, a.Height, words);
    }

    /// <summary>The mask at another size; a pixel is what lies at its centre.</summary>
    public BinaryMask Resize(int width, int height) =>
        Where(width, height, (x, y) => this[(int)(((2L * x) + 1) * Width / (2L * width)), (int)(((2L * y) + 1) * Height / (2L * height))]);

    /// <summary>The pixels for which a condition on x and y holds.</summary>
    public static BinaryMask Where(int width, int height, Func<int, int, bool> isInside)
    {
        ArgumentNullException.ThrowIfNull(isInside);
        var words = new ulong[WordCount(width, height)];
        long place = 0;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++, place++)
            {
                if (isInside(x, y))
                    words[place / WordBits] |= 1UL << (int)(place % WordBits);
            }
        }

        return new BinaryMask(width, height, words);
    }

    /// <summary>
    /// The pixels of the mask within a distance of its contour, the border of the picture included: the mask without its
    /// erosion by a square of side 2 * distance + 1.
    /// </summary>
    public BinaryMask Boundary(int distance)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(distance, 1);
        var deep = new bool[Width * Height];
        for (int place = 0; place < deep.Length; place++)
            deep[place] = (_words[place / WordBits] >> (place % WordBits) & 1) != 0;

        for (int y = 0; y < Height; y++)
            Erode(deep, y * Width, 1, Width, distance);
        for (int x = 0; x < Width; x++)
            Erode(deep, x, Width, Height, distance);

        var words = (ulong[])_words.Clone();
        for (int place = 0; place < deep.Length; place++)
        {
            if (deep[place])
                words[place / WordBits] &= ~(1UL << (place % WordBits));
        }

        return new BinaryMask(Width, Height, words);
    }

    /// <summary>Boundary IoU (Cheng et al., CVPR 2021): the IoU of the boundaries, 2 % of the picture's diagonal wide by default.</summary>
    public static double BoundaryIou(BinaryMask a, BinaryMask b, double dilationRatio = 0.02)
    {
        int distance = Math.Max(1, (int)Math.Round(dilationRatio * Math.Sqrt(((double)a.Width * a.Width) + ((double)a.Height * a.Height))));
        return Iou(a.Boundary(distance), b.Boundary(distance));
    }

    /// <summary>Leaves, along one line, the pixels that have nothing but mask for the distance on both sides; outside there is none.</summary>
    private static void Erode(bool[] pixels, int start, int step, int count, int distance)
    {
        int runStart = -1;
        for (int i = 0; i <= count; i++)
        {
            bool isInside = i < count && pixels[start + (i * step)];
            if (isInside)
            {
                if (runStart < 0)
                    runStart = i;
                continue;
            }

            if (runStart < 0)
                continue;
            for (int k = runStart; k < i; k++)
                pixels[start + (k * step)] = k - runStart >= distance && i - 1 - k >= distance;
            runStart = -1;
        }
    }
}
