using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Evaluation;

public sealed record TeacherSettings
{
    public static TeacherSettings Default { get; } = new();

    /// <summary>n: each picture is asked with an n x n grid of points, one prompt each.</summary>
    public int GridSide { get; init; } = 4;

    /// <summary>What the samples kept for a second look may take together; the longest unused go first.</summary>
    public long MaxCachedBytes { get; init; } = 256L << 20;

    /// <summary>For the encoder.</summary>
    public SessionSettings Session { get; init; } = SessionSettings.Default;

    /// <summary>For the decoder; its own defaults when null.</summary>
    public SessionSettings? DecoderSession { get; init; }

    public PictureLimits PictureLimits { get; init; } = PictureLimits.Default;
}

/// <summary>What the teacher answers to one prompt.</summary>
/// <param name="Best">The mask with the greatest predicted IoU.</param>
/// <param name="Mask">That mask.</param>
public sealed record TeacherAnswer(Prompt Prompt, IReadOnlyList<float> IouPredictions, int Best, BinaryMask Mask);

/// <summary>What the teacher makes of one picture.</summary>
/// <param name="Embeddings">The encoder's outputs by the names that decoders read.</param>
/// <param name="Answers">Empty without a decoder.</param>
public sealed record TeacherSample(IReadOnlyDictionary<string, float[]> Embeddings, IReadOnlyList<TeacherAnswer> Answers)
{
    internal long Bytes => Embeddings.Values.Sum(e => 4L * e.Length) + Answers.Sum(a => (8L * a.Mask.Words.Length) + (4L * a.IouPredictions.Count));
}

/// <summary>
/// The original model, in floating point: what a compressed one is measured against. Each picture runs once; what came out is
/// kept, by the hash of the picture, up to a bound.
/// </summary>
public sealed class Teacher : IDisposable
{
    private readonly TeacherSettings _settings;
    private readonly Dictionary<string, LinkedListNode<(string Key, TeacherSample Sample)>> _cache = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Key, TeacherSample Sample)> _byUse = [];
    private long _cachedBytes;

    private Teacher(ImageEncoder encoder, MaskDecoder? decoder, TeacherSettings settings)
    {
        Encoder = encoder;
        Decoder = decoder;
        _settings = settings;
        Images = new ImageLoader(encoder.Preprocessing, settings.PictureLimits);
    }

    public ImageEncoder Encoder { get; }

    /// <summary>Null when there is none: then there are embeddings and no masks.</summary>
    public MaskDecoder? Decoder { get; }

    /// <summary>Loads pictures as the encoder takes them.</summary>
    public ImageLoader Images { get; }

    /// <summary>The encoder's outputs that are compared and decoded.</summary>
    public IReadOnlyList<string> EncoderOutputs => Decoder?.Interface.EncoderOutputs ?? [DecoderInterface.ImageEmbeddings];

    /// <summary>How often the encoder really ran.</summary>
    public int Runs { get; private set; }

    /// <param name="decoderPath">Null when there is none; see <see cref="DecoderInterface.FindBeside"/>.</param>
    /// <exception cref="SamCompressException">A model cannot be opened, or is not what it should be.</exception>
    public static Teacher Open(string encoderPath, string? decoderPath, TeacherSettings? settings = null)
    {
        settings ??= TeacherSettings.Default;
        ImageEncoder encoder = ImageEncoder.Open(encoderPath, settings.Session);
        try
        {
            return new Teacher(encoder, decoderPath is null ? null : MaskDecoder.Open(decoderPath, settings.DecoderSession), settings);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <summary>Runs the teacher on a picture, or gives what it made of the same picture before.</summary>
    /// <exception cref="SamCompressException">ONNX Runtime failed, or encoder and decoder do not fit.</exception>
    public TeacherSample Run(EncoderImage image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (_cache.TryGetValue(image.Sha256, out LinkedListNode<(string Key, TeacherSample Sample)>? known))
        {
            _byUse.Remove(known);
            _byUse.AddLast(known);
            return known.Value.Sample;
        }

        TeacherSample sample = Compute(image, cancellationToken);
        Keep(image.Sha256, sample);
        return sample;
    }

    public void Dispose()
    {
        Encoder.Dispose();
        Decoder?.Dispose();
        Images.Dispose();
    }

    private TeacherSample Compute(EncoderImage image, CancellationToken cancellationToken)
    {
        Runs++;
        using RuntimeTensors embeddings = Encoder.Encode(image.Input, EncoderOutputs, cancellationToken);
        var answers = new List<TeacherAnswer>();
        if (Decoder is not null)
        {
            foreach (Prompt prompt in Prompt.Grid(_settings.GridSide, image.Width, image.Height))
            {
                MaskPrediction prediction = Decoder.Decode(embeddings, image.Width, image.Height, prompt, cancellationToken);
                answers.Add(new TeacherAnswer(prompt, prediction.IouPredictions, prediction.Best, prediction.Masks[prediction.Best]));
            }
        }

        return new TeacherSample(embeddings.ToDictionary(e => e.Key, e => e.Value.ToArray<float>(), StringComparer.Ordinal), answers);
    }

    private void Keep(string key, TeacherSample sample)
    {
        if (sample.Bytes > _settings.MaxCachedBytes)
            return;
        _cache[key] = _byUse.AddLast((key, sample));
        _cachedBytes += sample.Bytes;
        while (_cachedBytes > _settings.MaxCachedBytes && _byUse.First is { } oldest)
        {
            _byUse.RemoveFirst();
            _cache.Remove(oldest.Value.Key);
            _cachedBytes -= oldest.Value.Sample.Bytes;
        }
    }
}
