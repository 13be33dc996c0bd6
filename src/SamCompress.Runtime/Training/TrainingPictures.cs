using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Training;

/// <summary>
/// Pictures as a student sees them while it learns: a view of each, varied from visit to visit, as the input of its encoder. Decoded pictures are kept as
/// long as they fit.
/// </summary>
public sealed class TrainingPictures : IDisposable
{
    private readonly ImageLoader _loader;
    private readonly DecodedImage?[] _kept;
    private readonly long _maxKeptBytes;
    private long _keptBytes;

    /// <param name="augmentation">Null to show each picture as it is.</param>
    /// <param name="maxKeptBytes">What the decoded pictures may take.</param>
    public TrainingPictures(ImageSet pictures, Preprocessing preprocessing, Augmentation? augmentation, long maxKeptBytes = 1L << 30)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        Pictures = pictures;
        Augmentation = augmentation;
        _loader = new ImageLoader(preprocessing);
        _kept = new DecodedImage?[pictures.Paths.Count];
        _maxKeptBytes = maxKeptBytes;
    }

    public ImageSet Pictures { get; }

    public Augmentation? Augmentation { get; }

    /// <summary>The input of the encoder for one picture.</summary>
    /// <param name="seed">Decides the view.</param>
    /// <returns>Disposed of by the caller.</returns>
    /// <exception cref="SamCompressException">The picture cannot be read.</exception>
    public RuntimeTensor Input(int picture, ulong seed, CancellationToken cancellationToken = default)
    {
        DecodedImage image = _kept[picture] ?? _loader.Decode(Pictures.Paths[picture], cancellationToken);
        try
        {
            if (Augmentation is null)
                return _loader.Normalize(image.Pixels, cancellationToken);
            using RuntimeTensor pixels = Augmentation.Of(image.Width, image.Height, seed).Cut(image.Pixels);
            return _loader.Normalize(pixels, cancellationToken);
        }
        finally
        {
            Keep(picture, image);
        }
    }

    public void Dispose()
    {
        foreach (DecodedImage? image in _kept)
            image?.Dispose();
        _loader.Dispose();
    }

    private void Keep(int picture, DecodedImage image)
    {
        if (_kept[picture] is not null)
            return;
        if (_keptBytes + image.Pixels.Count > _maxKeptBytes)
        {
            image.Dispose();
            return;
        }

        _kept[picture] = image;
        _keptBytes += image.Pixels.Count;
    }
}
