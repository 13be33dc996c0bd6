using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Training;

/// <summary>What one picture gave.</summary>
/// <param name="Loss">The terms, each with its weight.</param>
/// <param name="Terms">By the name of the term, without its weight.</param>
/// <param name="GradientNorm">Of the mean gradient of the update so far, before clipping; null without clipping.</param>
public sealed record StepLosses(double Loss, IReadOnlyDictionary<string, double> Terms, double? GradientNorm);

/// <summary>
/// Runs a <see cref="TrainingGraph"/> and keeps its state: what a step puts out is what the next one takes in, in the memory of the device, without a copy.
/// </summary>
public sealed class TrainingSession : IDisposable
{
    private readonly TrainingGraph _graph;
    private readonly OnnxSession _session;
    private readonly HashSet<string> _resident;
    private readonly ExecutionDevice _device;

    /// <summary>By the name of the graph's input.</summary>
    private readonly Dictionary<string, RuntimeTensor> _state;

    private TrainingSession(TrainingGraph graph, OnnxSession session, ExecutionDevice device)
    {
        _graph = graph;
        _session = session;
        _device = device;
        _resident = [.. graph.State.Select(s => s.Output)];
        _state = graph.State.ToDictionary(s => s.Input, s => Wrap(s, s.Initial), StringComparer.Ordinal);
    }

    /// <summary>How many pictures it has seen.</summary>
    public long Pictures { get; private set; }

    /// <summary>How many updates were made.</summary>
    public long Updates => Pictures / _graph.Accumulation;

    /// <summary>The weights as they are now, by name: in the memory of the device, until the next step.</summary>
    public IReadOnlyDictionary<string, RuntimeTensor> Weights =>
        _graph.State.Where(s => s.Kind == StateKind.Weight).ToDictionary(s => s.Parameter, s => _state[s.Input], StringComparer.Ordinal);

    /// <summary>Opens a session in the state before the first step.</summary>
    /// <param name="graph">Must not be disposed of before the session.</param>
    /// <exception cref="SamCompressException">ONNX Runtime refuses the graph, or the device is not there.</exception>
    public static TrainingSession Open(TrainingGraph graph, SessionSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        settings ??= SessionSettings.Default;
        return new TrainingSession(graph, OnnxSession.Open(graph.Model, settings), settings.Device);
    }

    /// <summary>One picture: its losses and gradients, and, when it is the last one of an update, the update.</summary>
    /// <param name="inputs">Those of the student, by name.</param>
    /// <param name="targets">By the name of the term.</param>
    /// <param name="weights">By the name of the term; 1 where none is given.</param>
    /// <param name="learningRate">Of no meaning where gradients are summed up only.</param>
    /// <exception cref="SamCompressException">The loss is not finite, or ONNX Runtime failed. The state is as before the step.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. The state is as before the step.</exception>
    public StepLosses Step(
        IReadOnlyDictionary<string, RuntimeTensor> inputs,
        IReadOnlyDictionary<string, RuntimeTensor> targets,
        IReadOnlyDictionary<string, float>? weights = null,
        double learningRate = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(targets);
        var given = new Dictionary<string, RuntimeTensor>(_state, StringComparer.Ordinal);
        foreach (string input in _graph.Inputs)
            given.Add(input, inputs[input]);
        var scalars = new Dictionary<string, RuntimeTensor>(StringComparer.Ordinal);
        try
        {
            foreach (TermPlaces term in _graph.Terms)
            {
                given.Add(term.Target, targets[term.Term.Name]);
                scalars.Add(term.Weight, RuntimeTensor.Scalar(weights?.GetValueOrDefault(term.Term.Name, 1) ?? 1));
            }

            if (_graph.Optimizer is { } optimizer)
            {
                scalars.Add(optimizer.LearningRate, RuntimeTensor.Scalar(learningRate));
                scalars.Add(optimizer.Update, RuntimeTensor.Scalar(Updates + 1));
                if (optimizer.Apply is not null)
                    scalars.Add(optimizer.Apply, RuntimeTensor.Scalar((Pictures + 1) % _graph.Accumulation == 0));
            }

            foreach ((string name, RuntimeTensor scalar) in scalars)
                given.Add(name, scalar);
            using RuntimeTensors results = _session.RunResident(given, _resident, cancellationToken);
            StepLosses losses = Losses(results);
            foreach (StateTensor state in _graph.State)
                Replace(state, results.Detach(state.Output));
            Pictures++;
            return losses;
        }
        finally
        {
            foreach (RuntimeTensor scalar in scalars.Values)
                scalar.Dispose();
        }
    }

    /// <summary>A copy of the whole state, by <see cref="StateTensor.Name"/>.</summary>
    public IReadOnlyDictionary<string, Tensor> ReadState() => Read(_ => true, s => s.Name);

    /// <summary>A copy of the state of one kind, by the name of the weight that it belongs to.</summary>
    public IReadOnlyDictionary<string, Tensor> Read(StateKind kind) => Read(s => s.Kind == kind, s => s.Parameter);

    /// <summary>Goes on from a state that was read before.</summary>
    /// <exception cref="SamCompressException">Input: a tensor is missing or has another shape.</exception>
    public void Restore(IReadOnlyDictionary<string, Tensor> state, long pictures)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach (StateTensor tensor in _graph.State)
        {
            if (!state.TryGetValue(tensor.Name, out Tensor? saved) || saved.ElementType != ElementType.Float || !saved.Dimensions.SequenceEqual(tensor.Dimensions))
                throw new SamCompressException(FailureKind.InputRejected, $"the state has no float tensor '{tensor.Name}' of shape [{string.Join(',', tensor.Dimensions)}]");
        }

        foreach (StateTensor tensor in _graph.State)
            Replace(tensor, Wrap(tensor, state[tensor.Name]));
        Pictures = pictures;
    }

    public void Dispose()
    {
        _session.Dispose();
        foreach (RuntimeTensor tensor in _state.Values)
            tensor.Dispose();
    }

    private StepLosses Losses(RuntimeTensors results)
    {
        float loss = results[_graph.Loss].As<float>()[0];
        if (!float.IsFinite(loss))
        {
            throw new SamCompressException(
                FailureKind.Runtime, $"the loss of picture {Pictures + 1} is {loss}, after {Updates} updates", "lower the learning rate, or clip the gradients.");
        }

        return new StepLosses(
            loss,
            _graph.Terms.ToDictionary(t => t.Term.Name, t => (double)results[t.Loss].As<float>()[0], StringComparer.Ordinal),
            _graph.Optimizer?.GradientNorm is { } norm ? results[norm].As<float>()[0] : null);
    }

    private Dictionary<string, Tensor> Read(Func<StateTensor, bool> wanted, Func<StateTensor, string> name)
    {
        using DeviceReader? reader = _device == ExecutionDevice.Cpu ? null : new DeviceReader(_device);
        return _graph.State.Where(wanted).ToDictionary(name, s => reader?.Read(_state[s.Input]) ?? _state[s.Input].ToTensor(), StringComparer.Ordinal);
    }

    private void Replace(StateTensor state, RuntimeTensor tensor)
    {
        _state[state.Input].Dispose();
        _state[state.Input] = tensor;
    }

    private static RuntimeTensor Wrap(StateTensor state, Tensor? tensor) =>
        RuntimeTensor.Of(tensor?.ToArray<float>() ?? new float[state.Dimensions.Aggregate(1L, (product, d) => product * d)], state.Dimensions.AsSpan());
}
