using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;

namespace SamCompress.Cli.Jobs;

/// <summary>A picture with the masks of both models, as PNG files of one size.</summary>
internal sealed record PictureOverlay(ReportedPicture Picture, int Width, int Height, byte[] Teacher, byte[] Student, byte[] Difference);

/// <summary>Draws the pictures whose masks agree least, for a report.</summary>
internal sealed class OverlayStage(StageClock clock, CancellationToken cancellation)
{
    /// <summary>How many pictures a report shows.</summary>
    public const int MostPictures = 4;

    /// <summary>Pixels of the longer side.</summary>
    private const int LongSide = 480;

    public IReadOnlyList<PictureOverlay> Run(IReadOnlyList<PictureMasks> worst)
    {
        if (worst.Count == 0)
            return [];
        clock.Start("draw masks");
        using var loader = new ImageLoader(preprocessing: null);
        using var encoder = new PngEncoder();
        return [.. worst.Select(w => Draw(w, loader, encoder))];
    }

    private PictureOverlay Draw(PictureMasks masks, ImageLoader loader, PngEncoder encoder)
    {
        using DecodedImage decoded = loader.Decode(masks.Picture.Path, cancellation);
        Raster picture = Raster.Of(decoded).Reduce(LongSide);
        var overlay = ComparisonOverlay.Draw(picture, masks.Masks);
        return new PictureOverlay(
            ReportedPicture.Of(masks.Picture),
            picture.Width,
            picture.Height,
            encoder.Encode(overlay.Teacher, cancellation),
            encoder.Encode(overlay.Student, cancellation),
            encoder.Encode(overlay.Difference, cancellation));
    }
}
