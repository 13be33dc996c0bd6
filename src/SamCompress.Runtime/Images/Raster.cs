using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Images;

/// <summary>A picture to draw on: RGB, 8 bits, row by row from the top, the channels of a pixel side by side.</summary>
public sealed class Raster
{
    public const int Channels = 3;

    /// <param name="pixels">height * width * 3 bytes, which the raster owns.</param>
    /// <exception cref="ArgumentException">Another number of bytes.</exception>
    public Raster(int width, int height, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (pixels.Length != (long)width * height * Channels)
            throw new ArgumentException($"{width} x {height} pixels are {(long)width * height * Channels} bytes, not {pixels.Length}", nameof(pixels));
        Width = width;
        Height = height;
        Pixels = pixels;
    }

    public int Width { get; }

    public int Height { get; }

    public byte[] Pixels { get; }

    /// <summary>A copy of a decoded picture.</summary>
    public static Raster Of(DecodedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        Span<byte> planes = image.Pixels.As<byte>();
        int plane = image.Width * image.Height;
        var pixels = new byte[planes.Length];
        for (int channel = 0; channel < Channels; channel++)
        {
            for (int i = 0; i < plane; i++)
                pixels[(i * Channels) + channel] = planes[(channel * plane) + i];
        }

        return new Raster(image.Width, image.Height, pixels);
    }

    /// <summary>A mask in white on black.</summary>
    public static Raster Of(BinaryMask mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        var raster = new Raster(mask.Width, mask.Height, new byte[mask.Width * mask.Height * Channels]);
        for (int i = 0; i < raster.Pixels.Length; i++)
            raster.Pixels[i] = mask[i / Channels % mask.Width, i / Channels / mask.Width] ? byte.MaxValue : (byte)0;
        return raster;
    }

    /// <summary>Pictures of the same height from left to right, with white between them.</summary>
    /// <param name="gap">Pixels between two.</param>
    public static Raster SideBySide(IReadOnlyList<Raster> parts, int gap)
    {
        ArgumentNullException.ThrowIfNull(parts);
        int height = parts[0].Height, width = parts.Sum(p => p.Width) + (gap * (parts.Count - 1)), left = 0;
        var pixels = new byte[width * height * Channels];
        Array.Fill(pixels, byte.MaxValue);
        foreach (Raster part in parts)
        {
            for (int y = 0; y < height; y++)
                part.Pixels.AsSpan(y * part.Width * Channels, part.Width * Channels).CopyTo(pixels.AsSpan(((y * width) + left) * Channels));
            left += part.Width + gap;
        }

        return new Raster(width, height, pixels);
    }

    /// <summary>A smaller copy: each pixel is the mean of those that it covers. A picture that is small enough is copied as it is.</summary>
    /// <param name="longSide">The most pixels of the longer side, from 1.</param>
    public Raster Reduce(int longSide)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(longSide, 1);
        double scale = Math.Min(1, (double)longSide / Math.Max(Width, Height));
        int width = Math.Max(1, (int)Math.Round(Width * scale)), height = Math.Max(1, (int)Math.Round(Height * scale));
        var pixels = new byte[width * height * Channels];
        for (int y = 0; y < height; y++)
        {
            (int top, int bottom) = Covered(y, height, Height);
            for (int x = 0; x < width; x++)
            {
                (int left, int right) = Covered(x, width, Width);
                for (int channel = 0; channel < Channels; channel++)
                    pixels[(((y * width) + x) * Channels) + channel] = Mean(left, top, right, bottom, channel);
            }
        }

        return new Raster(width, height, pixels);
    }

    /// <summary>A copy without colours, by the luma of ITU-R BT.601.</summary>
    public Raster ToGrey()
    {
        var grey = new byte[Pixels.Length];
        for (int i = 0; i < grey.Length; i += Channels)
            grey.AsSpan(i, Channels).Fill((byte)MathF.Round((0.299f * Pixels[i]) + (0.587f * Pixels[i + 1]) + (0.114f * Pixels[i + 2])));
        return new Raster(Width, Height, grey);
    }

    /// <summary>Mixes a colour into a pixel.</summary>
    /// <param name="share">Of the colour, 0 to 1.</param>
    public void Blend(int x, int y, (byte R, byte G, byte B) colour, float share)
    {
        Span<byte> pixel = Pixels.AsSpan(((y * Width) + x) * Channels, Channels);
        pixel[0] = Mix(pixel[0], colour.R, share);
        pixel[1] = Mix(pixel[1], colour.G, share);
        pixel[2] = Mix(pixel[2], colour.B, share);
    }

    /// <summary>The pixels that one of a smaller copy covers, along one side; at least one.</summary>
    private static (int First, int End) Covered(int place, int count, int of)
    {
        int first = (int)((long)place * of / count);
        return (first, Math.Max(first + 1, (int)((place + 1L) * of / count)));
    }

    private byte Mean(int left, int top, int right, int bottom, int channel)
    {
        long sum = 0;
        for (int y = top; y < bottom; y++)
        {
            for (int x = left; x < right; x++)
                sum += Pixels[(((y * Width) + x) * Channels) + channel];
        }

        return (byte)Math.Round((double)sum / ((right - left) * (bottom - top)));
    }

    private static byte Mix(byte below, byte above, float share) => (byte)MathF.Round(below + ((above - below) * share));
}
