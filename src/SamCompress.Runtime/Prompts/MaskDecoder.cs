using SamCompress.IR;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Prompts;

/// <summary>The masks that a decoder proposes for a prompt.</summary>
/// <param name="Width">Of the masks: those of the original picture, or, for decoders that leave resizing to the caller, of the low-resolution masks without their padding.</param>
/// <param name="IouPredictions">The decoder's own estimate of each mask's IoU.</param>
public sealed record MaskPrediction(int Width, int Height, IReadOnlyList<float> IouPredictions, IReadOnlyList<BinaryMask> Masks)
{
    /// <summary>The mask with the greatest predicted IoU; the first one among equals.</summary>
    public int Best
    {
        get
        {
            int best = 0;
            for (int i = 1; i < IouPredictions.Count; i++)
            {
                if (IouPredictions[i] > IouPredictions[best])
                    best = i;
            }

            return best;
        }
    }
}

/// <summary>A mask decoder with its prompt encoder, ready to run.</summary>
public sealed class MaskDecoder : IDisposable
{
    private const int LowResolutionStride = 4;
    private const float PaddingLabel = -1;

    /// <summary>A decoder runs shortly, between runs of an encoder whose threads it must not disturb by waiting actively.</summary>
    private static readonly SessionSettings Settings = new()
    {
        Entries = new Dictionary<string, string> { ["session.intra_op.allow_spinning"] = "0" },
    };

    private readonly OnnxSession _session;
    private readonly float[] _emptyMask;

    private MaskDecoder(OnnxSession session, DecoderInterface @interface)
    {
        _session = session;
        Interface = @interface;
        int side = @interface.Frame / LowResolutionStride;
        _emptyMask = new float[side * side];
    }

    public DecoderInterface Interface { get; }

    /// <summary>Opens a decoder file.</summary>
    /// <exception cref="SamCompressException">It cannot be opened, or is no mask decoder that we know.</exception>
    public static MaskDecoder Open(string path, SessionSettings? settings = null) => Open(OnnxSession.Open(path, settings ?? Settings));

    /// <summary>Opens a decoder in memory; the model must live longer.</summary>
    /// <inheritdoc cref="Open(string, SessionSettings?)"/>
    public static MaskDecoder Open(Model model, SessionSettings? settings = null) => Open(OnnxSession.Open(model, settings ?? Settings));

    private static MaskDecoder Open(OnnxSession session)
    {
        if (DecoderInterface.Detect(session.Inputs.Select(i => (i.Name, i.Shape))) is { } found)
            return new MaskDecoder(session, found);
        session.Dispose();
        throw new SamCompressException(
            FailureKind.Unsupported,
            $"is no mask decoder: its inputs are {string.Join(", ", session.Inputs.Take(8).Select(i => SafeText.Of(i.Name)))}",
            "give the decoder that belongs to the encoder")
        {
            Location = session.Name,
        };
    }

    /// <summary>Runs the decoder for one prompt.</summary>
    /// <param name="embeddings">The encoder's outputs by the names of <see cref="DecoderInterface.EncoderOutputs"/>.</param>
    /// <param name="width">Of the original picture.</param>
    /// <exception cref="SamCompressException">ONNX Runtime failed, or the decoder takes no boxes.</exception>
    public MaskPrediction Decode(
        IReadOnlyDictionary<string, RuntimeTensor> embeddings,
        int width,
        int height,
        Prompt prompt,
        CancellationToken cancellationToken = default)
    {
        using RuntimeTensors results = Run(embeddings, width, height, prompt, [Interface.MasksOutput, Interface.IouOutput], cancellationToken);
        return Read(results[Interface.MasksOutput], results[Interface.IouOutput], width, height);
    }

    /// <summary>The same, with the logits of the best mask in the form that <see cref="Prompt.MaskLogits"/> takes; null where the decoder takes none.</summary>
    /// <inheritdoc cref="Decode"/>
    public (MaskPrediction Prediction, float[]? BestLogits) DecodeWithLogits(
        IReadOnlyDictionary<string, RuntimeTensor> embeddings,
        int width,
        int height,
        Prompt prompt,
        CancellationToken cancellationToken = default)
    {
        if (!Interface.TakesMasks || _session.Outputs.All(o => o.Name != DecoderInterface.LowResolutionMasksOutput))
            return (Decode(embeddings, width, height, prompt, cancellationToken), null);
        string[] outputs = [Interface.MasksOutput, Interface.IouOutput, DecoderInterface.LowResolutionMasksOutput];
        using RuntimeTensors results = Run(embeddings, width, height, prompt, outputs, cancellationToken);
        MaskPrediction prediction = Read(results[Interface.MasksOutput], results[Interface.IouOutput], width, height);
        Span<float> logits = results[DecoderInterface.LowResolutionMasksOutput].As<float>();
        return (prediction, logits.Length == _emptyMask.Length * prediction.Masks.Count ? logits.Slice(prediction.Best * _emptyMask.Length, _emptyMask.Length).ToArray() : null);
    }

    /// <summary>The logits of all masks for one prompt, of low resolution where the decoder gives them, and the predicted IoUs.</summary>
    /// <inheritdoc cref="Decode"/>
    public (float[] Logits, float[] IouPredictions) Logits(
        IReadOnlyDictionary<string, RuntimeTensor> embeddings,
        int width,
        int height,
        Prompt prompt,
        CancellationToken cancellationToken = default)
    {
        string masks = _session.Outputs.Any(o => o.Name == DecoderInterface.LowResolutionMasksOutput) ? DecoderInterface.LowResolutionMasksOutput : Interface.MasksOutput;
        using RuntimeTensors results = Run(embeddings, width, height, prompt, [masks, Interface.IouOutput], cancellationToken);
        return (results[masks].ToArray<float>(), results[Interface.IouOutput].ToArray<float>());
    }

    /// <summary>The inputs of the decoder that a prompt decides: all but the outputs of the encoder. The caller disposes of them.</summary>
    /// <inheritdoc cref="Decode"/>
    public Dictionary<string, RuntimeTensor> PromptInputs(Prompt prompt, int width, int height)
    {
        (float[] coordinates, float[] labels) = Encode(prompt, width, height);
        bool isTransformers = Interface.Kind == DecoderKind.Transformers;
        var inputs = new Dictionary<string, RuntimeTensor>(StringComparer.Ordinal)
        {
            [Interface.PointsInput] = isTransformers ? RuntimeTensor.Of(coordinates, 1, 1, labels.Length, 2) : RuntimeTensor.Of(coordinates, 1, labels.Length, 2),
            [Interface.LabelsInput] = isTransformers
                ? RuntimeTensor.Of(Array.ConvertAll(labels, l => (long)l), 1, 1, labels.Length)
                : RuntimeTensor.Of(labels, 1, labels.Length),
        };
        if (Interface.Kind == DecoderKind.Official)
        {
            long side = Interface.Frame / LowResolutionStride;
            inputs["mask_input"] = RuntimeTensor.Of(prompt.MaskLogits?.ToArray() ?? _emptyMask, 1, 1, side, side);
            inputs["has_mask_input"] = RuntimeTensor.Of([prompt.MaskLogits is null ? 0f : 1f], 1);
            inputs["orig_im_size"] = RuntimeTensor.Of([(float)height, width], 2);
        }

        return inputs;
    }

    public void Dispose() => _session.Dispose();

    /// <summary>
    /// Coordinates in the frame (x, y for each point) and labels: 1 and 0 for points, 2 and 3 for the corners of the box. The
    /// official decoder wants a padding point, label -1, when there is no box.
    /// </summary>
    internal (float[] Coordinates, float[] Labels) Encode(Prompt prompt, int width, int height)
    {
        if (prompt.Points.Count == 0 && prompt.Box is null)
            throw new ArgumentException("a prompt needs a point or a box");
        if (prompt.MaskLogits is not null && !Interface.TakesMasks)
            throw new SamCompressException(FailureKind.Unsupported, $"the decoder {_session.Name} takes no mask");
        (int frameWidth, int frameHeight) = new Preprocessing(Interface.Frame, PixelLayout.ChannelsFirst).Resized(width, height);
        double scaleX = (double)frameWidth / width;
        double scaleY = (double)frameHeight / height;
        var coordinates = new List<float>();
        var labels = new List<float>();
        foreach (PromptPoint point in prompt.Points)
            Add(point.X, point.Y, point.IsForeground ? 1 : 0);
        if (prompt.Box is { } box)
        {
            if (Interface.Kind == DecoderKind.Transformers)
                throw new SamCompressException(FailureKind.Unsupported, $"the decoder {_session.Name} takes points, no box");
            Add(box.Left, box.Top, 2);
            Add(box.Right, box.Bottom, 3);
        }
        else if (Interface.Kind == DecoderKind.Official)
        {
            Add(0, 0, PaddingLabel);
        }

        return ([.. coordinates], [.. labels]);

        void Add(double x, double y, float label)
        {
            coordinates.Add((float)(x * scaleX));
            coordinates.Add((float)(y * scaleY));
            labels.Add(label);
        }
    }

    private RuntimeTensors Run(
        IReadOnlyDictionary<string, RuntimeTensor> embeddings,
        int width,
        int height,
        Prompt prompt,
        string[] outputs,
        CancellationToken cancellationToken)
    {
        using var asked = new RuntimeTensors(PromptInputs(prompt, width, height));
        var inputs = new Dictionary<string, RuntimeTensor>(asked, StringComparer.Ordinal);
        foreach (string name in Interface.EncoderOutputs)
            inputs[name] = embeddings[name];
        return _session.Run(inputs, outputs, cancellationToken);
    }

    private MaskPrediction Read(RuntimeTensor masks, RuntimeTensor iou, int width, int height)
    {
        float[] predictions = iou.ToArray<float>();
        int maskWidth = (int)masks.Dimensions[^1];
        int maskHeight = (int)masks.Dimensions[^2];
        (int shownWidth, int shownHeight) = (maskWidth, maskHeight);
        if (Interface.Kind != DecoderKind.Official)
        {
            (int frameWidth, int frameHeight) = new Preprocessing(Interface.Frame, PixelLayout.ChannelsFirst).Resized(width, height);
            shownWidth = (int)Math.Ceiling((double)frameWidth * maskWidth / Interface.Frame);
            shownHeight = (int)Math.Ceiling((double)frameHeight * maskHeight / Interface.Frame);
        }

        int plane = maskWidth * maskHeight;
        Span<float> logits = masks.As<float>();
        if (logits.Length != (long)plane * predictions.Length)
            throw new SamCompressException(FailureKind.Unsupported, $"the decoder gives masks {masks} but {predictions.Length} IoU predictions") { Location = _session.Name };
        var binary = new BinaryMask[predictions.Length];
        for (int i = 0; i < binary.Length; i++)
            binary[i] = BinaryMask.FromLogits(logits.Slice(i * plane, plane), maskWidth, shownWidth, shownHeight);
        return new MaskPrediction(shownWidth, shownHeight, predictions, binary);
    }
}
