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

    /// <summary>Mixes a colour into a pixel.</summary>
    /// <param name="share">Of the colour, 0 to 1.</param>
    public void Blend(int x, int y, (byte R, byte G, byte B) colour, float share)
    {
        Span<byte> pixel = Pixels.AsSpan(((y * Width) + x) * Channels, Channels);
        pixel[0] = Mix(pixel[0], colour.R, share);
        pixel[1] = Mix(pixel[1], colour.G, share);
        pixel[2] = Mix(pixel[2], colour.B, share);
    }

    private static byte Mix(byte below, byte above, float share) => (byte)MathF.Round(below + ((above - below) * share));
}
