using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Training;

/// <summary>Which part of a picture is shown, and how.</summary>
/// <param name="Left">In pixels of the picture, as are the others.</param>
/// <param name="IsMirrored">Columns go from right to left.</param>
public sealed record PictureView(int Left, int Top, int Width, int Height, bool IsMirrored)
{
    /// <summary>Rows go from the bottom to the top.</summary>
    public bool IsUpsideDown { get; init; }

    /// <summary>Rows become columns, after everything else.</summary>
    public bool IsTransposed { get; init; }

    /// <summary>Null leaves colours as they are.</summary>
    public ColorChange? Colors { get; init; }

    /// <summary>The pixels of the view.</summary>
    /// <param name="pixels">uint8 [1,3,H,W].</param>
    public RuntimeTensor Cut(RuntimeTensor pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        int height = (int)pixels.Dimensions[2], width = (int)pixels.Dimensions[3];
        ReadOnlySpan<byte> from = pixels.As<byte>();
        var cut = new byte[3 * Height * Width];
        for (int row = 0; row < 3 * Height; row++)
        {
            (int channel, int y) = int.DivRem(row, Height);
            Span<byte> target = cut.AsSpan(row * Width, Width);
            from.Slice((((channel * height) + Top + (IsUpsideDown ? Height - 1 - y : y)) * width) + Left, Width).CopyTo(target);
            if (IsMirrored)
                target.Reverse();
        }

        Colors?.Apply(cut);
        return IsTransposed ? RuntimeTensor.Of(Transposed(cut), 1, 3, Width, Height) : RuntimeTensor.Of(cut, 1, 3, Height, Width);
    }

    private byte[] Transposed(byte[] cut)
    {
        var result = new byte[cut.Length];
        for (int i = 0; i < result.Length; i++)
        {
            (int channel, int place) = int.DivRem(i, Height * Width);
            result[i] = cut[(((channel * Height) + (place % Height)) * Width) + (place / Height)];
        }

        return result;
    }
}

/// <summary>Other light: each channel becomes gain (p - 128) + 128 + shift.</summary>
public sealed record ColorChange(double Red, double Green, double Blue, double Shift)
{
    /// <param name="pixels">Three planes.</param>
    public void Apply(Span<byte> pixels)
    {
        int plane = pixels.Length / 3;
        var table = new byte[256];
        for (int channel = 0; channel < 3; channel++)
        {
            double gain = channel switch { 0 => Red, 1 => Green, _ => Blue };
            for (int p = 0; p < table.Length; p++)
                table[p] = (byte)Math.Clamp(Math.Round((gain * (p - 128)) + 128 + Shift), 0, byte.MaxValue);
            foreach (ref byte pixel in pixels.Slice(channel * plane, plane))
                pixel = table[pixel];
        }
    }
}

/// <summary>How pictures are varied, so that a student does not learn them by heart. Each variation is a pure function of a seed: nothing is remembered.</summary>
public sealed record Augmentation
{
    private const double MostContrast = 1.35, MostTint = 1.15, MostShift = 25;

    /// <summary>The least share of a picture's area that is shown; 1 shows all of it.</summary>
    public double LeastArea { get; init; } = 0.3;

    /// <summary>By how much the sides of what is shown may be stretched against each other, at most.</summary>
    public double MostStretch { get; init; } = 4.0 / 3;

    /// <summary>Whether every other view is mirrored.</summary>
    public bool Mirrors { get; init; } = true;

    /// <summary>
    /// Whether views are also turned by quarters, upside down and seen in other light: contrast by up to a factor of 1.35, of each channel by 1.15 more, brightness
    /// by up to 25 of 255. The teacher says what is right of such a view too.
    /// </summary>
    public bool IsStrong { get; init; }

    /// <summary>The view of a picture that belongs to a seed: the area is uniform, the ratio of the sides log-uniform, the place uniform.</summary>
    public PictureView Of(int width, int height, ulong seed)
    {
        var random = new Random(unchecked((int)((seed * 0x9E3779B97F4A7C15) >> 32)));
        double area = LeastArea + (random.NextDouble() * (1 - LeastArea));
        double stretch = Math.Pow(MostStretch, random.NextDouble() - 0.5);
        int shownWidth = Math.Clamp((int)Math.Round(width * Math.Sqrt(area) * stretch), 1, width);
        int shownHeight = Math.Clamp((int)Math.Round(height * Math.Sqrt(area) / stretch), 1, height);
        var view = new PictureView(random.Next(width - shownWidth + 1), random.Next(height - shownHeight + 1), shownWidth, shownHeight, random.NextDouble() < 0.5 && Mirrors);
        if (!IsStrong)
            return view;
        double contrast = Factor(MostContrast);
        return view with
        {
            IsUpsideDown = random.NextDouble() < 0.5,
            IsTransposed = random.NextDouble() < 0.5,
            Colors = new ColorChange(contrast * Factor(MostTint), contrast * Factor(MostTint), contrast * Factor(MostTint), MostShift * ((2 * random.NextDouble()) - 1)),
        };

        double Factor(double most) => Math.Pow(most, (2 * random.NextDouble()) - 1);
    }
}
