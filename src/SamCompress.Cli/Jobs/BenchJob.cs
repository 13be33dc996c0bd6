using System.Diagnostics;
using SamCompress.IR;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Jobs;

public sealed record BenchOptions(string Model, string? Reference)
{
    public int Rounds { get; init; } = 10;

    public ExecutionRequest Execution { get; init; } = new();

    /// <summary>Shapes to use for inputs whose own are not fixed.</summary>
    public IReadOnlyDictionary<string, Shape> InputShapes { get; init; } = new Dictionary<string, Shape>();
}

/// <param name="LoadMilliseconds">To open the model.</param>
/// <param name="FirstMilliseconds">The first run, which touches memory for the first time.</param>
/// <param name="Milliseconds">The least time of a run after it.</param>
public sealed record BenchedModel(string Model, double LoadMilliseconds, double FirstMilliseconds, double Milliseconds, double MedianMilliseconds);

/// <param name="Ratio">How many times as fast as the reference the model is, by the least times; null without a reference.</param>
public sealed record BenchReport(int SchemaVersion, string Device, int Rounds, BenchedModel Model, BenchedModel? Reference, double? Ratio);

/// <summary>Times a model, in turns with another one, on inputs that are the same at every call.</summary>
public static class BenchJob
{
    public static BenchReport Run(BenchOptions options, IJobProgress progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        progress.Stage("load");
        var candidates = new List<Candidate>();
        try
        {
            foreach (string path in new[] { options.Model, options.Reference }.OfType<string>())
                candidates.Add(Candidate.Open(path, options));
            progress.Stage("run");
            foreach (Candidate candidate in candidates)
                candidate.Run(cancellation);
            for (int i = 0; i < options.Rounds; i++)
            {
                foreach (Candidate candidate in candidates)
                    candidate.Run(cancellation);
                progress.Advance(i + 1, options.Rounds, "rounds");
            }

            BenchedModel model = candidates[0].Result();
            BenchedModel? reference = candidates.Count > 1 ? candidates[1].Result() : null;
            return new BenchReport(1, options.Execution.DeviceName, options.Rounds, model, reference, reference?.Milliseconds / model.Milliseconds);
        }
        finally
        {
            foreach (Candidate candidate in candidates)
                candidate.Dispose();
        }
    }

    private sealed class Candidate : IDisposable
    {
        private readonly string _path;
        private readonly double _load;
        private readonly OnnxSession _session;
        private readonly Dictionary<string, RuntimeTensor> _inputs = new(StringComparer.Ordinal);
        private readonly List<double> _times = [];

        private Candidate(string path, OnnxSession session, double load)
        {
            _path = path;
            _session = session;
            _load = load;
        }

        public static Candidate Open(string path, BenchOptions options)
        {
            ModelSource.Read(path, options.Execution.Reading).Dispose();
            long start = Stopwatch.GetTimestamp();
            var candidate = new Candidate(path, OnnxSession.Open(path, options.Execution.Session), Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            try
            {
                foreach (SessionValue input in candidate._session.Inputs)
                    candidate._inputs[input.Name] = Fill(input, options.InputShapes.GetValueOrDefault(input.Name) ?? input.Shape, path);
                return candidate;
            }
            catch
            {
                candidate.Dispose();
                throw;
            }
        }

        public void Run(CancellationToken cancellation)
        {
            long start = Stopwatch.GetTimestamp();
            _session.Run(_inputs, cancellationToken: cancellation).Dispose();
            _times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        public BenchedModel Result()
        {
            double[] sorted = [.. _times.Skip(1).Order()];
            return new BenchedModel(_path, _load, _times[0], sorted[0], (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2);
        }

        public void Dispose()
        {
            foreach (RuntimeTensor input in _inputs.Values)
                input.Dispose();
            _session.Dispose();
        }

        /// <summary>A wave in floating point, zeros otherwise: time does not depend on the values, except where they are denormal or not finite.</summary>
        private static RuntimeTensor Fill(SessionValue input, Shape? shape, string path)
        {
            if (shape?.ToStatic() is not { } dimensions)
                throw new SamCompressException(FailureKind.Usage, $"input '{input.Name}' has no fixed shape: {shape?.ToString() ?? "unknown rank"}", $"give one: --input-shape {input.Name}:1,2,3.") { Location = path };
            long count = shape.ElementCount!.Value;
            if (input.ElementType != ElementType.Float)
                return RuntimeTensor.Of(Tensor.Lazy(input.ElementType, dimensions, _ => { }));
            var elements = new float[checked((int)count)];
            for (int i = 0; i < elements.Length; i++)
                elements[i] = MathF.Sin(i * 0.01f);
            return RuntimeTensor.Of(elements, dimensions);
        }
    }
}
