using SamCompress.IR;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Images;

/// <summary>A decoded picture: upright, RGB, 8 bits.</summary>
/// <param name="Pixels">uint8 [1,3,Height,Width].</param>
/// <param name="Remarks">What was done to it that its owner may not expect, as short phrases.</param>
public sealed record DecodedImage(string Path, int Width, int Height, RuntimeTensor Pixels, IReadOnlyList<string> Remarks) : IDisposable
{
    public void Dispose() => Pixels.Dispose();
}

/// <summary>A picture as an encoder takes it.</summary>
/// <param name="Width">Of the picture, upright, in its own pixels.</param>
/// <param name="ResizedWidth">Of the part of the input that shows the picture; the rest is padding.</param>
/// <param name="Sha256">Of the file.</param>
/// <param name="Input">The encoder's input.</param>
public sealed record EncoderImage(
    string Path,
    int Width,
    int Height,
    int ResizedWidth,
    int ResizedHeight,
    string Sha256,
    RuntimeTensor Input,
    IReadOnlyList<string> Remarks) : IDisposable
{
    public void Dispose() => Input.Dispose();
}

/// <summary>
/// Reads pictures and makes encoder inputs out of them, exactly as SAM does: see docs/preprocessing.md. One picture is held at
/// a time. Not safe for use by several threads at once.
/// </summary>
public sealed class ImageLoader : IDisposable
{
    private static readonly SessionSettings DecoderSettings = new() { UseExtensions = true, Threads = 1, UseMemoryArena = false, UseMemoryPattern = false };
    private static readonly SessionSettings NormalizerSettings = new() { UseMemoryArena = false, UseMemoryPattern = false };

    private readonly Dictionary<int, OnnxSession> _decoders = [];
    private readonly PictureLimits _limits;
    private OnnxSession? _normalizer;

    /// <param name="preprocessing">Null for a loader that only decodes.</param>
    public ImageLoader(Preprocessing? preprocessing, PictureLimits? limits = null)
    {
        Preprocessing = preprocessing;
        _limits = limits ?? PictureLimits.Default;
    }

    public Preprocessing? Preprocessing { get; }

    /// <exception cref="SamCompressException">Missing, no JPEG or PNG, malformed, cut, or over a limit; the message names the file.</exception>
    public DecodedImage Decode(string path, CancellationToken cancellationToken = default) =>
        Decode(path, PictureFile.Read(path, _limits), cancellationToken);

    /// <inheritdoc cref="Decode(string, CancellationToken)"/>
    /// <exception cref="InvalidOperationException">The loader was made without preprocessing.</exception>
    public EncoderImage Load(string path, CancellationToken cancellationToken = default)
    {
        Preprocessing preprocessing = Preprocessing ?? throw new InvalidOperationException("the loader only decodes");
        PictureFile file = PictureFile.Read(path, _limits);
        using DecodedImage image = Decode(path, file, cancellationToken);
        RuntimeTensor input = Normalize(image.Pixels, cancellationToken);
        (int width, int height) = preprocessing.Resized(image.Width, image.Height);
        return new EncoderImage(path, image.Width, image.Height, width, height, file.Sha256, input, image.Remarks);
    }

    /// <summary>Makes an encoder input of pixels, uint8 [1,3,H,W] in RGB.</summary>
    /// <exception cref="InvalidOperationException">The loader was made without preprocessing.</exception>
    public RuntimeTensor Normalize(RuntimeTensor pixels, CancellationToken cancellationToken = default)
    {
        if (_normalizer is null)
        {
            using Model model = PreprocessingGraph.Normalize(Preprocessing ?? throw new InvalidOperationException("the loader only decodes"));
            _normalizer = OnnxSession.Open(model, NormalizerSettings);
        }

        using RuntimeTensors results = _normalizer.Run(
            new Dictionary<string, RuntimeTensor> { [PreprocessingGraph.PixelsOutput] = pixels },
            cancellationToken: cancellationToken);
        return results.Detach(PreprocessingGraph.TensorOutput);
    }

    public void Dispose()
    {
        foreach (OnnxSession session in _decoders.Values)
            session.Dispose();
        _decoders.Clear();
        _normalizer?.Dispose();
        _normalizer = null;
    }

    private DecodedImage Decode(string path, PictureFile file, CancellationToken cancellationToken)
    {
        using RuntimeTensor bytes = RuntimeTensor.Of(file.Encoded, file.Encoded.Length);
        RuntimeTensor pixels;
        OnnxSession decoder = Decoder(file.Orientation);
        try
        {
            using RuntimeTensors results = decoder.Run(
                new Dictionary<string, RuntimeTensor> { [PreprocessingGraph.FileInput] = bytes },
                cancellationToken: cancellationToken);
            pixels = results.Detach(PreprocessingGraph.PixelsOutput);
        }
        catch (SamCompressException e) when (e.Kind == FailureKind.Runtime)
        {
            throw PictureFile.Rejected(path, "cannot be decoded", e);
        }

        bool isTurned = file.Orientation >= 5;
        (int width, int height) = isTurned ? (file.Height, file.Width) : (file.Width, file.Height);
        if (!pixels.Dimensions.AsSpan().SequenceEqual([1L, 3, height, width]))
        {
            pixels.Dispose();
            throw PictureFile.Rejected(path, $"is damaged: its header says {file.Width} x {file.Height}, its data {string.Join(" x ", pixels.Dimensions)}");
        }

        return new DecodedImage(path, width, height, pixels, file.Remarks);
    }

    private OnnxSession Decoder(int orientation)
    {
        if (!_decoders.TryGetValue(orientation, out OnnxSession? session))
        {
            using Model model = PreprocessingGraph.Decode(orientation);
            session = OnnxSession.Open(model, DecoderSettings);
            _decoders.Add(orientation, session);
        }

        return session;
    }
}
