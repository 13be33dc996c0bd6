using System.Diagnostics;
using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Training;

/// <summary>One picture: the inputs of the student by name, and the targets by the name of the term. Disposed of by the trainer.</summary>
public sealed record TrainingSample(IReadOnlyDictionary<string, RuntimeTensor> Inputs, IReadOnlyDictionary<string, RuntimeTensor> Targets) : IDisposable
{
    public void Dispose()
    {
        foreach (RuntimeTensor tensor in Inputs.Values.Concat(Targets.Values))
            tensor.Dispose();
    }
}

/// <summary>Told after each update.</summary>
/// <param name="Update">Its number, from 1, of <paramref name="Updates"/>.</param>
/// <param name="Loss">The mean over the pictures of the update.</param>
/// <param name="Terms">The same for each term, without its weight.</param>
/// <param name="Left">How long the rest will take, at the pace of this run.</param>
/// <param name="Validation">Made after this update, or null.</param>
public sealed record TrainingProgress(
    long Update, long Updates, double Loss, IReadOnlyDictionary<string, double> Terms, double LearningRate, TimeSpan Left, Validation? Validation);

/// <summary>What a training led to.</summary>
/// <param name="Weights">Those at the best validation; the last ones when nothing was validated. For <see cref="TrainedModel"/>.</param>
/// <param name="Best">That validation, or null.</param>
public sealed record TrainingOutcome(IReadOnlyDictionary<string, Tensor> Weights, Validation? Best, IReadOnlyList<Validation> Validations);

/// <summary>
/// Trains: draws pictures, steps, validates, keeps the best weights and, now and then, a checkpoint. A run that was killed and is started again gives the
/// same bytes as one that was not, on the same machine with the same number of threads.
/// </summary>
/// <param name="graph">Must not be disposed of before the call of <see cref="Run"/> returns.</param>
public sealed class Trainer(TrainingGraph graph, TrainerOptions options, SessionSettings? session = null)
{
    private readonly SampleOrder _order = new(options.PictureCount, options.Seed);
    private readonly List<Validation> _validations = [];
    private IReadOnlyDictionary<string, Tensor> _best = new Dictionary<string, Tensor>();

    /// <summary>What <see cref="TrainingCheckpoint.Identity"/> a checkpoint must have to be gone on from.</summary>
    public string Identity { get; } = TrainingIdentity.Of(graph, options.IdentityText);

    /// <param name="load">Makes a picture and its targets, of the draw and the weights before the step, by name (<see cref="TrainingSession.Weights"/>); must give the same for the same.</param>
    /// <param name="validate">The score of weights, by name; higher is better. Null validates nothing.</param>
    /// <exception cref="SamCompressException">The loss is not finite, the checkpoint is of another run or cannot be written, or ONNX Runtime failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the checkpoint, if one is asked for, is of the moment.</exception>
    public TrainingOutcome Run(
        Func<SampleDraw, IReadOnlyDictionary<string, RuntimeTensor>, TrainingSample> load,
        Func<IReadOnlyDictionary<string, Tensor>, double>? validate = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(load);
        using var training = TrainingSession.Open(graph, session);
        Resume(training);
        try
        {
            RunToEnd(training, load, validate, progress, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Save(training);
            throw;
        }

        Save(training);
        return new TrainingOutcome(_best.Count > 0 ? _best : training.Read(StateKind.Weight), Best(), [.. _validations]);
    }

    private void RunToEnd(
        TrainingSession training,
        Func<SampleDraw, IReadOnlyDictionary<string, RuntimeTensor>, TrainingSample> load,
        Func<IReadOnlyDictionary<string, Tensor>, double>? validate,
        IProgress<TrainingProgress>? progress,
        CancellationToken cancellationToken)
    {
        long total = options.Updates * graph.Accumulation, first = training.Pictures;
        var clock = Stopwatch.StartNew();
        var losses = new List<StepLosses>();
        double rate = 0;
        while (true)
        {
            if (training.Pictures % graph.Accumulation == 0)
            {
                // A run that was cancelled while it validated validates now.
                Validation? validation = Validate(training, validate);
                if (losses.Count > 0)
                {
                    TimeSpan left = clock.Elapsed / (training.Pictures - first) * (total - training.Pictures);
                    progress?.Report(Progress(training.Updates, losses, rate, left, validation));
                    if (IsDue(training.Updates, options.CheckpointEvery))
                        Save(training);
                    losses.Clear();
                }
            }

            if (training.Pictures >= total)
                return;
            cancellationToken.ThrowIfCancellationRequested();
            rate = options.LearningRate.At(training.Updates, _validations);
            SampleDraw draw = _order.At(training.Pictures);
            using TrainingSample sample = load(draw, training.Weights);
            losses.Add(training.Step(sample.Inputs, sample.Targets, options.WeightsAt(draw.Epoch), rate, cancellationToken));
        }
    }

    private Validation? Validate(TrainingSession training, Func<IReadOnlyDictionary<string, Tensor>, double>? validate)
    {
        bool isDue = training.Updates == options.Updates || IsDue(training.Updates, options.ValidateEvery);
        if (validate is null || !isDue || _validations.LastOrDefault()?.Update == training.Updates)
            return null;
        IReadOnlyDictionary<string, Tensor> weights = training.Read(StateKind.Weight);
        var validation = new Validation(training.Updates, validate(weights));
        if (!double.IsFinite(validation.Score))
            throw new SamCompressException(FailureKind.Runtime, $"the validation after {training.Updates} updates gave {validation.Score}");
        if (Best() is not { } best || validation.Score > best.Score)
            _best = weights;
        _validations.Add(validation);
        return validation;
    }

    /// <summary>The first of the best.</summary>
    private Validation? Best() => _validations.MaxBy(v => v.Score);

    private void Resume(TrainingSession training)
    {
        if (options.Checkpoint is null || !File.Exists(options.Checkpoint))
            return;
        var checkpoint = TrainingCheckpoint.Read(options.Checkpoint, Identity);
        training.Restore(checkpoint.State, checkpoint.Pictures);
        _validations.AddRange(checkpoint.Validations);
        _best = checkpoint.Best;
    }

    private void Save(TrainingSession training)
    {
        if (options.Checkpoint is null)
            return;
        new TrainingCheckpoint
        {
            Identity = Identity,
            Pictures = training.Pictures,
            Validations = _validations,
            State = training.ReadState(),
            Best = _best,
        }.Write(options.Checkpoint);
    }

    private TrainingProgress Progress(long update, List<StepLosses> losses, double rate, TimeSpan left, Validation? validation) => new(
        update,
        options.Updates,
        losses.Average(l => l.Loss),
        losses[0].Terms.Keys.ToDictionary(t => t, t => losses.Average(l => l.Terms[t]), StringComparer.Ordinal),
        rate,
        left,
        validation);

    private static bool IsDue(long updates, long every) => every > 0 && updates > 0 && updates % every == 0;
}
