using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Batching;
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

/// <summary>The logits of the masks of several prompts, prompt by prompt and mask by mask, each row by row.</summary>
/// <param name="Count">How many masks each prompt has.</param>
/// <param name="Width">Of a mask: of low resolution with its padding, or of the original picture where the decoder gives no other.</param>
/// <param name="IsOfPictureSize">Whether they have the size of the picture, which only an official decoder without low-resolution masks gives.</param>
/// <param name="Values">prompts * Count * Height * Width numbers.</param>
/// <param name="IouPredictions">prompts * Count numbers.</param>
public sealed record MaskLogits(int Count, int Width, int Height, bool IsOfPictureSize, float[] Values, float[] IouPredictions)
{
    /// <summary>The logits of one mask.</summary>
    /// <param name="index">prompt * <see cref="Count"/> + mask.</param>
    public ReadOnlySpan<float> Of(int index) => Values.AsSpan(index * Width * Height, Width * Height);
}

/// <summary>A mask decoder with its prompt encoder, ready to run.</summary>
public sealed class MaskDecoder : IDisposable
{
    private const int LowResolutionStride = 4;
    private const float PaddingLabel = -1;
    private const string MasksOfPictureSize = "masks";

    /// <summary>A decoder runs shortly, between runs of an encoder whose threads it must not disturb by waiting actively.</summary>
    private static readonly SessionSettings Settings = new()
    {
        Entries = new Dictionary<string, string> { ["session.intra_op.allow_spinning"] = "0" },
    };

    private readonly OnnxSession _session;
    private readonly Model? _model;
    private readonly float[] _emptyMask;

    private MaskDecoder(OnnxSession session, DecoderInterface @interface, Model? model)
    {
        _session = session;
        _model = model;
        Interface = @interface;
        int side = @interface.Frame / LowResolutionStride;
        _emptyMask = new float[side * side];
    }

    public DecoderInterface Interface { get; }

    /// <summary>Whether one run takes several prompts.</summary>
    public bool TakesBatches => _session.Inputs.First(i => i.Name == Interface.PointsInput).Shape is { } shape && shape[Interface.Kind == DecoderKind.Transformers ? 1 : 0].Value is null;

    /// <summary>Opens a decoder file.</summary>
    /// <exception cref="SamCompressException">It cannot be opened, or is no mask decoder that we know.</exception>
    public static MaskDecoder Open(string path, SessionSettings? settings = null) => Open(OnnxSession.Open(path, settings ?? Settings));

    /// <summary>Opens a decoder in memory; the model must live longer.</summary>
    /// <inheritdoc cref="Open(string, SessionSettings?)"/>
    public static MaskDecoder Open(Model model, SessionSettings? settings = null) => Open(OnnxSession.Open(model, settings ?? Settings));

    /// <summary>
    /// Opens a decoder file to ask it with many prompts: one run takes several of them where the graph can be changed to (see <see cref="BatchPoints"/>), and masks come
    /// in low resolution alone where there are such.
    /// </summary>
    /// <param name="report">Gets to know why a decoder takes one prompt at a time.</param>
    /// <inheritdoc cref="Open(string, SessionSettings?)"/>
    public static MaskDecoder OpenForMany(string path, SessionSettings? settings = null, Action<Diagnostic>? report = null)
    {
        Model model = OnnxReader.Read(path);
        try
        {
            Graph graph = model.Graph;
            for (int i = graph.Outputs.Count - 1; i >= 0 && graph.Outputs.Any(o => o.Name == DecoderInterface.LowResolutionMasksOutput); i--)
            {
                if (graph.Outputs[i].Name == MasksOfPictureSize)
                    graph.RemoveOutput(i);
            }

            var context = new PassContext { Evaluator = new OnnxConstantEvaluator() };
            new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.BatchDecoder]).Run(model, context);
            foreach (Diagnostic diagnostic in context.Diagnostics.Where(d => d.Id == BatchPoints.Refused))
                report?.Invoke(diagnostic);
            return Open(OnnxSession.Open(model, settings ?? Settings), model);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static MaskDecoder Open(OnnxSession session, Model? model = null)
    {
        if (DecoderInterface.Detect(session.Inputs.Select(i => (i.Name, i.Shape))) is { } found)
            return new MaskDecoder(session, found, model);
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
        using RuntimeTensors results = Run(embeddings, width, height, [prompt], [Interface.MasksOutput, Interface.IouOutput], cancellationToken);
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
        using RuntimeTensors results = Run(embeddings, width, height, [prompt], outputs, cancellationToken);
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
        MaskLogits logits = Logits(embeddings, width, height, [prompt], cancellationToken);
        return (logits.Values, logits.IouPredictions);
    }

    /// <summary>The logits of all masks for several prompts, of low resolution where the decoder gives them: in one run where it <see cref="TakesBatches"/>, else one by one.</summary>
    /// <param name="prompts">All with the same number of points, and all with a box or none; without a mask when there are several.</param>
    /// <inheritdoc cref="Decode"/>
    public MaskLogits Logits(
        IReadOnlyDictionary<string, RuntimeTensor> embeddings,
        int width,
        int height,
        IReadOnlyList<Prompt> prompts,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        if (prompts.Count > 1 && !TakesBatches)
        {
            MaskLogits[] single = [.. prompts.Select(p => Logits(embeddings, width, height, [p], cancellationToken))];
            return single[0] with { Values = [.. single.SelectMany(s => s.Values)], IouPredictions = [.. single.SelectMany(s => s.IouPredictions)] };
        }

        string output = _session.Outputs.Any(o => o.Name == DecoderInterface.LowResolutionMasksOutput) ? DecoderInterface.LowResolutionMasksOutput : Interface.MasksOutput;
        using RuntimeTensors results = Run(embeddings, width, height, prompts, [output, Interface.IouOutput], cancellationToken);
        RuntimeTensor masks = results[output];
        float[] ious = results[Interface.IouOutput].ToArray<float>();
        if (ious.Length == 0 || ious.Length % prompts.Count != 0 || masks.Count != ious.Length * masks.Dimensions[^1] * masks.Dimensions[^2])
            throw new SamCompressException(FailureKind.Unsupported, $"the decoder gives masks {masks} but {ious.Length} IoU predictions for {prompts.Count} prompts") { Location = _session.Name };
        bool isOfPictureSize = Interface.Kind == DecoderKind.Official && output == Interface.MasksOutput;
        return new MaskLogits(ious.Length / prompts.Count, (int)masks.Dimensions[^1], (int)masks.Dimensions[^2], isOfPictureSize, masks.ToArray<float>(), ious);
    }

    /// <summary>The inputs of the decoder that a prompt decides: all but the outputs of the encoder. The caller disposes of them.</summary>
    /// <inheritdoc cref="Decode"/>
    public Dictionary<string, RuntimeTensor> PromptInputs(Prompt prompt, int width, int height) => PromptInputs([prompt], width, height);

    private Dictionary<string, RuntimeTensor> PromptInputs(IReadOnlyList<Prompt> prompts, int width, int height)
    {
        (float[] Coordinates, float[] Labels)[] encoded = [.. prompts.Select(p => Encode(p, width, height))];
        long count = prompts.Count, points = encoded[0].Labels.Length;
        float[] coordinates = [.. encoded.SelectMany(e => e.Coordinates)], labels = [.. encoded.SelectMany(e => e.Labels)];
        bool isTransformers = Interface.Kind == DecoderKind.Transformers;
        var inputs = new Dictionary<string, RuntimeTensor>(StringComparer.Ordinal)
        {
            [Interface.PointsInput] = isTransformers ? RuntimeTensor.Of(coordinates, 1, count, points, 2) : RuntimeTensor.Of(coordinates, count, points, 2),
            [Interface.LabelsInput] = isTransformers ? RuntimeTensor.Of(Array.ConvertAll(labels, l => (long)l), 1, count, points) : RuntimeTensor.Of(labels, count, points),
        };
        if (Interface.Kind == DecoderKind.Official)
        {
            long side = Interface.Frame / LowResolutionStride;
            ReadOnlyMemory<float>? mask = prompts[0].MaskLogits;
            inputs["mask_input"] = RuntimeTensor.Of(mask?.ToArray() ?? _emptyMask, 1, 1, side, side);
            inputs["has_mask_input"] = RuntimeTensor.Of([mask is null ? 0f : 1f], 1);
            inputs["orig_im_size"] = RuntimeTensor.Of([(float)height, width], 2);
        }

        return inputs;
    }

    public void Dispose()
    {
        _session.Dispose();
        _model?.Dispose();
    }

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
        IReadOnlyList<Prompt> prompts,
        string[] outputs,
        CancellationToken cancellationToken)
    {
        using var asked = new RuntimeTensors(PromptInputs(prompts, width, height));
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
