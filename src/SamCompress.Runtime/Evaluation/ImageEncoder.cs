using System.Diagnostics;
using SamCompress.IR;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Evaluation;

/// <summary>An image encoder, ready to run, with its outputs under the names that decoders read.</summary>
public sealed class ImageEncoder : IDisposable
{
    private readonly string _inputName;
    private readonly Dictionary<string, string> _outputs;

    private ImageEncoder(OnnxSession session)
    {
        Session = session;
        Preprocessing = Preprocessing.For(session);
        _inputName = session.Inputs[0].Name;
        _outputs = session.Outputs
            .Where(o => o.Name is DecoderInterface.ImageEmbeddings or DecoderInterface.PositionalEmbeddings)
            .ToDictionary(o => o.Name, o => o.Name, StringComparer.Ordinal);

        // Encoders exported by hand call their output anything.
        _outputs.TryAdd(DecoderInterface.ImageEmbeddings, session.Outputs[0].Name);
    }

    public OnnxSession Session { get; }

    /// <summary>The least time that a run took so far; infinite before the first.</summary>
    public double LeastMilliseconds { get; private set; } = double.PositiveInfinity;

    public Preprocessing Preprocessing { get; }

    /// <summary>Model file and external data together; null for a model in memory.</summary>
    public long? FileBytes { get; private init; }

    /// <exception cref="SamCompressException">ONNX Runtime refuses the model, or it is no image encoder.</exception>
    public static ImageEncoder Open(string path, SessionSettings? settings = null)
    {
        long bytes;
        using (Model model = OnnxReader.Read(path, new ReadOptions { AllowMissingData = true, Limits = (settings ?? SessionSettings.Default).Limits }))
            bytes = model.Files.Append(path).Select(Path.GetFullPath).Distinct(StringComparer.Ordinal).Sum(f => new FileInfo(f).Length);
        return Open(OnnxSession.Open(path, settings), bytes);
    }

    /// <summary>Opens an encoder in memory; the model must live longer.</summary>
    /// <inheritdoc cref="Open(string, SessionSettings?)"/>
    public static ImageEncoder Open(Model model, SessionSettings? settings = null) => Open(OnnxSession.Open(model, settings), null);

    /// <summary>Runs the encoder.</summary>
    /// <param name="input">As <see cref="Preprocessing"/> makes it.</param>
    /// <param name="names">The outputs wanted, by the names that decoders use.</param>
    /// <returns>The outputs by these names, which the caller disposes of.</returns>
    /// <exception cref="SamCompressException">The encoder lacks an output, gives another element type than float, or failed.</exception>
    public RuntimeTensors Encode(RuntimeTensor input, IReadOnlyCollection<string> names, CancellationToken cancellationToken = default)
    {
        string? missing = names.FirstOrDefault(n => !_outputs.ContainsKey(n));
        if (missing is not null)
        {
            throw new SamCompressException(FailureKind.Unsupported, $"the encoder has no output '{missing}', which the decoder reads", "give the decoder that belongs to the encoder")
            {
                Location = Session.Name,
            };
        }

        var inputs = new Dictionary<string, RuntimeTensor>(StringComparer.Ordinal) { [_inputName] = input };
        long start = Stopwatch.GetTimestamp();
        using RuntimeTensors results = Session.Run(inputs, [.. names.Select(n => _outputs[n])], cancellationToken);
        LeastMilliseconds = Math.Min(LeastMilliseconds, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        RuntimeTensor? other = results.Values.FirstOrDefault(t => t.ElementType != ElementType.Float);
        if (other is not null)
            throw new SamCompressException(FailureKind.Unsupported, $"the encoder gives {other}; embeddings of float are expected") { Location = Session.Name };
        return new RuntimeTensors(names.ToDictionary(n => n, n => results.Detach(_outputs[n]), StringComparer.Ordinal));
    }

    public void Dispose() => Session.Dispose();

    private static ImageEncoder Open(OnnxSession session, long? bytes)
    {
        try
        {
            return new ImageEncoder(session) { FileBytes = bytes };
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}
