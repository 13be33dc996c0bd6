using SamCompress.IR;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Images;

/// <summary>How a picture becomes the input of an image encoder.</summary>
/// <param name="Side">S, the length of both sides of the input in pixels.</param>
public sealed record Preprocessing(int Side, PixelLayout Layout)
{
    /// <summary>A bound against hostile models: an input of that side takes 3.2 GB.</summary>
    private const int MaxSide = 16_384;

    /// <summary>Of red, green and blue, on the scale 0 to 255.</summary>
    public static IReadOnlyList<float> MeanOfSam { get; } = [123.675f, 116.28f, 103.53f];

    /// <inheritdoc cref="MeanOfSam"/>
    public static IReadOnlyList<float> StdOfSam { get; } = [58.395f, 57.12f, 57.375f];

    /// <summary>Of red, green and blue, on the scale 0 to 255: those of every SAM.</summary>
    public IReadOnlyList<float> Mean { get; init; } = MeanOfSam;

    /// <inheritdoc cref="Mean"/>
    public IReadOnlyList<float> Std { get; init; } = StdOfSam;

    /// <summary>The preprocessing that fits an encoder's only input.</summary>
    /// <exception cref="SamCompressException">The input is not one square picture of three channels and floats.</exception>
    public static Preprocessing For(OnnxSession encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        if (encoder.Inputs.Count == 1)
            return For(encoder.Inputs[0], encoder.Name);
        throw new SamCompressException(
            FailureKind.Unsupported,
            $"an image encoder has one input; this model has {encoder.Inputs.Count}: {string.Join(", ", encoder.Inputs.Take(8).Select(i => SafeText.Of(i.Name)))}")
        {
            Location = encoder.Name,
        };
    }

    /// <summary>The preprocessing that fits an input by its shape, [1,3,S,S] or [1,S,S,3]; the batch may be symbolic.</summary>
    /// <exception cref="SamCompressException">Another shape or element type.</exception>
    public static Preprocessing For(SessionValue input, string model)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input is { ElementType: ElementType.Float, Shape: { Rank: 4 } shape } && shape[0].Value is null or 1)
        {
            if (shape[1].Value == 3 && Square(shape[2], shape[3]) is { } first)
                return new Preprocessing(first, PixelLayout.ChannelsFirst);
            if (shape[3].Value == 3 && Square(shape[1], shape[2]) is { } last)
                return new Preprocessing(last, PixelLayout.ChannelsLast);
        }

        throw new SamCompressException(
            FailureKind.Unsupported,
            $"input '{SafeText.Of(input.Name)}' is {input.ElementType.TextName()}{SafeText.Of(input.Shape?.ToString() ?? "")}; an image encoder takes float[1,3,S,S] or float[1,S,S,3] with a fixed S",
            "give the free dimensions a value, for example with --input-shape")
        {
            Location = model,
        };
    }

    /// <summary>The size to which a picture is resized: the long side becomes S, the short one keeps the ratio, rounded half up, at least 1.</summary>
    public (int Width, int Height) Resized(int width, int height)
    {
        double scale = (double)Side / Math.Max(width, height);
        return (Math.Max(1, (int)Math.Floor((width * scale) + 0.5)), Math.Max(1, (int)Math.Floor((height * scale) + 0.5)));
    }

    private static int? Square(Dimension height, Dimension width) =>
        height.Value is > 0 and <= MaxSide && height.Value == width.Value ? (int)height.Value : null;
}
