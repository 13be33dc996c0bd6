using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Training;

/// <summary>What is shown of a picture, as the input of an encoder.</summary>
/// <param name="Width">The part of the input's width that shows the picture, over 0 and at most 1; the rest is padding.</param>
/// <param name="Input">Disposed of by the caller.</param>
public sealed record ShownPicture(RuntimeTensor Input, double Width, double Height);

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

    /// <summary>One picture.</summary>
    /// <param name="seed">Decides the view.</param>
    /// <exception cref="SamCompressException">The picture cannot be read.</exception>
    public ShownPicture Show(int picture, ulong seed, CancellationToken cancellationToken = default)
    {
        DecodedImage image = _kept[picture] ?? _loader.Decode(Pictures.Paths[picture], cancellationToken);
        try
        {
            if (Augmentation is null)
                return Shown(image.Pixels, cancellationToken);
            using RuntimeTensor pixels = Augmentation.Of(image.Width, image.Height, seed).Cut(image.Pixels);
            return Shown(pixels, cancellationToken);
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

    private ShownPicture Shown(RuntimeTensor pixels, CancellationToken cancellationToken)
    {
        Preprocessing preprocessing = _loader.Preprocessing!;
        (int width, int height) = preprocessing.Resized((int)pixels.Dimensions[3], (int)pixels.Dimensions[2]);
        return new ShownPicture(_loader.Normalize(pixels, cancellationToken), (double)width / preprocessing.Side, (double)height / preprocessing.Side);
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
