using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Training;

/// <summary>Which part of a picture is shown, and whether it is mirrored.</summary>
/// <param name="Left">In pixels of the picture, as are the others.</param>
public sealed record PictureView(int Left, int Top, int Width, int Height, bool IsMirrored)
{
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
            Span<byte> target = cut.AsSpan(row * Width, Width);
            from.Slice((((row / Height * height) + Top + (row % Height)) * width) + Left, Width).CopyTo(target);
            if (IsMirrored)
                target.Reverse();
        }

        return RuntimeTensor.Of(cut, 1, 3, Height, Width);
    }
}

/// <summary>How pictures are varied, so that a student does not learn them by heart. Each variation is a pure function of a seed: nothing is remembered.</summary>
public sealed record Augmentation
{
    /// <summary>The least share of a picture's area that is shown; 1 shows all of it.</summary>
    public double LeastArea { get; init; } = 0.3;

    /// <summary>By how much the sides of what is shown may be stretched against each other, at most.</summary>
    public double MostStretch { get; init; } = 4.0 / 3;

    /// <summary>Whether every other view is mirrored.</summary>
    public bool Mirrors { get; init; } = true;

    /// <summary>The view of a picture that belongs to a seed: the area is uniform, the ratio of the sides log-uniform, the place uniform.</summary>
    public PictureView Of(int width, int height, ulong seed)
    {
        var random = new Random(unchecked((int)((seed * 0x9E3779B97F4A7C15) >> 32)));
        double area = LeastArea + (random.NextDouble() * (1 - LeastArea));
        double stretch = Math.Pow(MostStretch, random.NextDouble() - 0.5);
        int shownWidth = Math.Clamp((int)Math.Round(width * Math.Sqrt(area) * stretch), 1, width);
        int shownHeight = Math.Clamp((int)Math.Round(height * Math.Sqrt(area) / stretch), 1, height);
        return new PictureView(random.Next(width - shownWidth + 1), random.Next(height - shownHeight + 1), shownWidth, shownHeight, random.NextDouble() < 0.5 && Mirrors);
    }
}
