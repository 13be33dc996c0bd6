using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Segmentation;

/// <summary>An image encoder and its mask decoder, ready to segment pictures. Not safe for use by several threads at once.</summary>
public sealed class SegmentationModel : IDisposable
{
    /// <summary>SAM's decoder gives the mask for unambiguous prompts first, and three for one point.</summary>
    private const int AllMasks = 4;

    private readonly ImageLoader _images;

    private SegmentationModel(ImageEncoder encoder, MaskDecoder decoder)
    {
        Encoder = encoder;
        Decoder = decoder;
        _images = new ImageLoader(encoder.Preprocessing);
    }

    public ImageEncoder Encoder { get; }

    public MaskDecoder Decoder { get; }

    /// <param name="session">For the encoder.</param>
    /// <param name="report">Gets to know why a decoder takes one prompt at a time.</param>
    /// <exception cref="SamCompressException">A model cannot be opened, or is not what it should be.</exception>
    public static SegmentationModel Open(string encoderPath, string decoderPath, SessionSettings? session = null, Action<Diagnostic>? report = null)
    {
        var encoder = ImageEncoder.Open(encoderPath, session);
        try
        {
            return new SegmentationModel(encoder, MaskDecoder.OpenForMany(decoderPath, report: report));
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <exception cref="SamCompressException">The picture cannot be read.</exception>
    public DecodedImage Load(string path, CancellationToken cancellationToken = default) => _images.Decode(path, cancellationToken);

    /// <summary>Runs the encoder.</summary>
    /// <param name="pixels">uint8 [1,3,H,W] in RGB.</param>
    /// <returns>What the decoder reads, which the caller disposes of.</returns>
    /// <exception cref="SamCompressException">A model failed.</exception>
    public RuntimeTensors Embed(RuntimeTensor pixels, CancellationToken cancellationToken = default)
    {
        using RuntimeTensor input = _images.Normalize(pixels, cancellationToken);
        return Encoder.Encode(input, Decoder.Interface.EncoderOutputs, cancellationToken);
    }

    /// <summary>The mask for each prompt.</summary>
    /// <param name="stabilityOffset">See <see cref="EverythingOptions.StabilityOffset"/>.</param>
    /// <exception cref="SamCompressException">A model failed, or the decoder takes no boxes.</exception>
    public IReadOnlyList<FoundMask> Segment(DecodedImage image, IReadOnlyList<Prompt> prompts, double stabilityOffset = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(prompts);
        using RuntimeTensors embeddings = Embed(image.Pixels, cancellationToken);
        var found = new List<FoundMask>();
        foreach (Prompt prompt in prompts)
        {
            MaskLogits logits = Decoder.Logits(embeddings, image.Width, image.Height, [prompt], cancellationToken);
            int best = Best(logits.IouPredictions, prompt);
            ScaledMask scaled = MaskScaling.For(logits, Decoder.Interface.Frame, image.Width, image.Height).Scale(logits.Of(best), (float)stabilityOffset, confident: null);
            found.Add(new FoundMask(
                scaled.Mask, FoundMask.BoxOf(scaled.Mask), logits.IouPredictions[best], scaled.Stability, prompt, new PixelBox(0, 0, image.Width, image.Height)));
        }

        return found;
    }

    public void Dispose()
    {
        Encoder.Dispose();
        Decoder.Dispose();
        _images.Dispose();
    }

    /// <summary>The first of the masks that are proposed for one point: the one for unambiguous prompts is none of them.</summary>
    internal static int FirstProposal(int masks) => masks == AllMasks ? 1 : 0;

    /// <summary>
    /// The mask for a prompt, as SAM's exported decoder selects it: the one for unambiguous prompts when there are more than two points, the corners of a box and the padding in
    /// place of one counted; else, or when there is no such mask, the proposal with the greatest predicted IoU.
    /// </summary>
    internal static int Best(IReadOnlyList<float> iouPredictions, Prompt prompt)
    {
        int first = FirstProposal(iouPredictions.Count);
        if (first > 0 && prompt.Points.Count + (prompt.Box is null ? 1 : 2) > 2)
            return 0;
        return Enumerable.Range(first, iouPredictions.Count - first).MaxBy(i => iouPredictions[i]);
    }
}
