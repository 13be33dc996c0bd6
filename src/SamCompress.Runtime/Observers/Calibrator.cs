using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Observers;

/// <summary>The inputs of the model for one picture. Disposed of by the calibrator once it has run.</summary>
/// <param name="Name">For messages: the file.</param>
public sealed record CalibrationSample(string Name, IReadOnlyDictionary<string, RuntimeTensor> Inputs) : IDisposable
{
    public void Dispose()
    {
        foreach (RuntimeTensor tensor in Inputs.Values)
            tensor.Dispose();
    }
}

/// <summary>What the statistics were made from; see <see cref="CalibrationStatistics"/>.</summary>
public sealed record CalibrationOrigin(string ModelHash, string ToolVersion, string PictureSetHash);

public sealed record CalibrationSettings
{
    public static CalibrationSettings Default { get; } = new();

    public SessionSettings Session { get; init; } = SessionSettings.Default;

    /// <summary>The process must stay under this many bytes of memory; null for no limit.</summary>
    public long? MaxMemory { get; init; }
}

/// <summary>
/// Runs a float model once for each picture and observes its values. Extremes are reduced, and positions are sampled, inside the graph,
/// so that no activation leaves ONNX Runtime whole; what is kept does not grow with the number of pictures. The outputs of the model
/// come from the same run: the teacher costs nothing more.
/// </summary>
public sealed class Calibrator(CalibrationSettings? settings = null)
{
    private readonly CalibrationSettings _settings = settings ?? CalibrationSettings.Default;

    /// <summary>The memory that observing takes beside running the model, in bytes.</summary>
    public static long ObserverMemory(IReadOnlyCollection<ObservedValue> observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return observed.Sum(o => ((ObservationGraph.SampledElements + (o.Detail == ObservationDetail.Ranges ? 0 : ValueObserver.KeptElements)) * (long)sizeof(float))
            + (ValueHistogram.MaxBins * sizeof(long)) + (o.Channels * 32L)
            + (o.Detail == ObservationDetail.SecondMoments ? 2L * sizeof(float) * o.Channels * o.Channels : 0));
    }

    /// <param name="model">Is changed for a moment, and as it was when the first picture runs. Must not be disposed of before the call returns.</param>
    /// <param name="observed">See <see cref="QuantizationPlanner.RequiredStatistics"/>.</param>
    /// <param name="samples">Enumerated once; one picture is in memory at a time.</param>
    /// <param name="onOutputs">Called for each picture with its number and the outputs of the model, of which it may detach what it wants to keep.</param>
    /// <exception cref="SamCompressException">There is no picture, a value is not finite, the memory limit is passed, or ONNX Runtime failed.</exception>
    public CalibrationStatistics Run(
        Model model,
        IReadOnlyList<ObservedValue> observed,
        IEnumerable<CalibrationSample> samples,
        CalibrationOrigin origin,
        Action<int, RuntimeTensors>? onOutputs = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentNullException.ThrowIfNull(origin);
        string[] outputs = [.. model.Graph.Outputs.Select(o => o.Name)];
        ObservationGraph graph = ObservationGraph.AddTo(model, observed);
        OnnxSession session;
        try
        {
            // The planned block comes on top of what the first run left in the arena: twice the activations of a large model.
            session = OnnxSession.Open(model, _settings.Session with { UseMemoryPattern = false });
        }
        finally
        {
            graph.Dispose();
        }

        using (session)
        {
            ValueObserver[] observers = [.. observed.Select(o => new ValueObserver(o))];
            int count = 0;
            foreach (CalibrationSample sample in samples)
            {
                using (sample)
                {
                    RunOne(session, graph, observers, sample, count, outputs, onOutputs, cancellationToken);
                }

                count++;
                CheckMemory();
            }

            if (count == 0)
                throw new SamCompressException(FailureKind.InputRejected, "there is no picture to calibrate with");
            return new CalibrationStatistics
            {
                ModelHash = origin.ModelHash,
                ToolVersion = origin.ToolVersion,
                PictureSetHash = origin.PictureSetHash,
                PictureCount = count,
                Values = [.. observers.Select(o => o.Result(count)).OrderBy(v => v.Name, StringComparer.Ordinal)],
            };
        }
    }

    private static void RunOne(
        OnnxSession session,
        ObservationGraph graph,
        ValueObserver[] observers,
        CalibrationSample sample,
        int number,
        string[] outputs,
        Action<int, RuntimeTensors>? onOutputs,
        CancellationToken cancellationToken)
    {
        var inputs = new Dictionary<string, RuntimeTensor>(sample.Inputs, StringComparer.Ordinal);
        if (observers.Length > 0)
            inputs.Add(graph.PhaseInput, ObservationGraph.Phase(number));
        try
        {
            using RuntimeTensors results = session.Run(inputs, [.. outputs, .. graph.Outputs], cancellationToken);
            Parallel.For(0, observers.Length, i =>
            {
                ObservedOutputs o = graph.Values[i];
                observers[i].Add(results[o.Min].As<float>(), results[o.Max].As<float>(), results[o.Rows], sample.Name);
                if (o.Gram is not null)
                    observers[i].AddMoments(results[o.Gram].As<float>(), results[o.GramSum!].As<float>(), results[o.GramRows!].As<long>()[0]);
            });
            onOutputs?.Invoke(number, results);
        }
        catch (AggregateException e) when (e.InnerException is SamCompressException inner)
        {
            throw new SamCompressException(inner.Kind, inner.Message, inner.Hint, e) { Location = inner.Location };
        }
        finally
        {
            if (observers.Length > 0)
                inputs[graph.PhaseInput].Dispose();
        }
    }

    private void CheckMemory()
    {
        if (_settings.MaxMemory is not { } limit || Environment.WorkingSet <= limit)
            return;
        throw new SamCompressException(
            FailureKind.Runtime,
            string.Create(CultureInfo.InvariantCulture, $"calibration takes {Environment.WorkingSet >> 20} MiB, and {limit >> 20} MiB are allowed"),
            "raise --max-memory");
    }
}
