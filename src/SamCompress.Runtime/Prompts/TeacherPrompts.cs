using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Prompts;

/// <summary>
/// Prompts like those that users give, made of the masks that the original model finds in a picture itself. Always the same for
/// the same picture and model.
/// </summary>
public sealed record TeacherPrompts
{
    public static TeacherPrompts Default { get; } = new();

    /// <summary>n: the picture is asked with an n x n grid of points to find its masks.</summary>
    public int GridSide { get; init; } = 4;

    /// <summary>The most prompts for one picture.</summary>
    public int MostPrompts { get; init; } = 12;

    /// <summary>Of masks whose IoU is this or more only the first is used.</summary>
    public double SameMaskIou { get; init; } = 0.8;

    /// <summary>Smaller masks, as a share of the picture, are no objects.</summary>
    public double LeastArea { get; init; } = 0.0005;

    /// <summary>
    /// For each mask: the grid point that found it, the point deepest inside, that with a point beside the mask, the box around it, and
    /// the mask itself fed back; as far as the decoder takes them. When not all can be given every mask and every kind has its turn.
    /// </summary>
    /// <param name="decoder">The original one.</param>
    /// <param name="embeddings">Of the original encoder, by the names that decoders read.</param>
    /// <param name="width">Of the original picture.</param>
    /// <returns>At least one prompt: grid points when there is no mask.</returns>
    public IReadOnlyList<Prompt> Of(
        MaskDecoder decoder,
        IReadOnlyDictionary<string, RuntimeTensor> embeddings,
        int width,
        int height,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(decoder);
        IReadOnlyList<Prompt> grid = Prompt.Grid(GridSide, width, height);
        var masks = new List<BinaryMask>();
        var kinds = new List<IReadOnlyList<Prompt>>();
        foreach (Prompt point in grid)
        {
            (MaskPrediction prediction, float[]? logits) = decoder.DecodeWithLogits(embeddings, width, height, point, cancellationToken);
            BinaryMask mask = prediction.Masks[prediction.Best];
            if (mask.Area < Math.Max(1, LeastArea * mask.Width * mask.Height) || masks.Exists(known => BinaryMask.Iou(known, mask) >= SameMaskIou))
                continue;
            masks.Add(mask);
            kinds.Add(Of(mask, point, logits, decoder.Interface, width, height));
        }

        if (masks.Count == 0)
            return [.. grid.Take(MostPrompts)];
        var prompts = new List<Prompt>();
        int most = kinds.Max(k => k.Count);
        for (int round = 0; round < most; round++)
        {
            for (int i = 0; i < kinds.Count && prompts.Count < MostPrompts; i++)
            {
                if (round < kinds[i].Count)
                    prompts.Add(kinds[i][(i + round) % kinds[i].Count]);
            }
        }

        return prompts;
    }

    private static List<Prompt> Of(BinaryMask mask, Prompt found, float[]? logits, DecoderInterface decoder, int width, int height)
    {
        (int Left, int Top, int Right, int Bottom) bounds = MaskShape.Bounds(mask)!.Value;
        PromptPoint inside = Point(MaskShape.Deepest(mask, bounds)!.Value, isForeground: true);
        var prompts = new List<Prompt> { found, new() { Points = [inside] } };
        if (MaskShape.Deepest(mask, Around(bounds, mask), isInside: false) is { } beside)
            prompts.Add(new Prompt { Points = [inside, Point(beside, isForeground: false)] });
        if (decoder.TakesBoxes)
            prompts.Add(Prompt.Around(X(bounds.Left), Y(bounds.Top), X(bounds.Right), Y(bounds.Bottom)));
        if (logits is not null)
            prompts.Add(found with { MaskLogits = logits });
        return prompts;

        PromptPoint Point((int X, int Y) pixel, bool isForeground) => new(X(pixel.X + 0.5), Y(pixel.Y + 0.5), isForeground);

        // Masks of low resolution are smaller than the picture.
        double X(double x) => x * width / mask.Width;

        double Y(double y) => y * height / mask.Height;
    }

    /// <summary>The bounds with a margin of a quarter of their size, at least one pixel, as far as the picture goes.</summary>
    private static (int Left, int Top, int Right, int Bottom) Around((int Left, int Top, int Right, int Bottom) bounds, BinaryMask mask)
    {
        int x = Math.Max(1, (bounds.Right - bounds.Left) / 4), y = Math.Max(1, (bounds.Bottom - bounds.Top) / 4);
        return (Math.Max(0, bounds.Left - x), Math.Max(0, bounds.Top - y), Math.Min(mask.Width, bounds.Right + x), Math.Min(mask.Height, bounds.Bottom + y));
    }
}
