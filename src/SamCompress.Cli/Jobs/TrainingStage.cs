using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Passes.Recipes;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Training;

namespace SamCompress.Cli.Jobs;

/// <summary>What every training of a job needs: pictures, a judge, settings, and a record of how it goes.</summary>
internal sealed class TrainingStage : IDisposable
{
    /// <summary>So often weights are judged while they are trained.</summary>
    private const int Validations = 8;

    /// <summary>Between two checkpoints of a large model, of which an update takes the better part of a minute.</summary>
    private const int UpdatesOfLargeModel = 10;

    private readonly MaskJudge _judge;
    private readonly TrainingSet _set;
    private readonly IJobProgress _progress;
    private readonly CancellationToken _cancellation;
    private readonly long _reportEvery;
    private readonly List<ReportedLoss> _losses = [];
    private double _sum;
    private int _count;

    /// <param name="teacher">The file that judges.</param>
    /// <param name="state">Where the training is kept, to go on from; null keeps nothing.</param>
    /// <param name="input">Of the encoder.</param>
    /// <param name="phases">How many trainings share the updates of the step.</param>
    public TrainingStage(
        string teacher, string? decoder, TrainingSet set, DistillStep step, string? state, Value input, int phases, ExecutionRequest execution, IJobProgress progress, CancellationToken cancellation)
    {
        _set = set;
        _progress = progress;
        _cancellation = cancellation;
        long updates = Math.Max(1, step.Updates / phases);
        _reportEvery = Math.Max(1, updates / 50);
        bool isSmall = Comparison.IsSmall(teacher);
        Settings = new DistillationSettings
        {
            Updates = step.Updates,
            LearningRate = step.LearningRate,
            Optimizer = new TrainingOptions { WeightDecay = step.WeightDecay, Accumulation = step.Batch, Recomputes = !isSmall },
            Seed = (ulong)step.Seed,
            ValidateEvery = Math.Max(1, updates / Validations),
            Checkpoint = state,
            CheckpointEvery = isSmall ? Math.Max(1, updates / 40) : UpdatesOfLargeModel,
            // ONNX Runtime would fold away what keeps activations from being computed again too early.
            Session = isSmall ? execution.Session : execution.Session with { Optimization = GraphOptimization.None, UseMemoryArena = false, UseMemoryPattern = false },
        };
        Pictures = new TrainingPictures(
            set.Learned,
            Preprocessing.For(new SessionValue(input.Name, input.ElementType, input.Shape), teacher),
            step.LeastArea < 1 || step.StrongAugmentation ? new Augmentation { LeastArea = step.LeastArea, IsStrong = step.StrongAugmentation } : null);
        _judge = MaskJudge.Open(teacher, decoder, set.Validation.Paths, execution, progress, cancellation);
        Progress = new Reporter(this);
    }

    public DistillationSettings Settings { get; }

    public TrainingPictures Pictures { get; }

    public IProgress<TrainingProgress> Progress { get; }

    /// <summary>The mean mask IoU of a student, or the SQNR of its embeddings where there is no decoder.</summary>
    public double Score(Model student)
    {
        MaskVerdict verdict = _judge.Judge(student, _cancellation);
        return verdict.MeanIou ?? verdict.EmbeddingSqnr ?? double.MaxValue;
    }

    /// <summary>The training that has just ended; what is recorded next belongs to another.</summary>
    public ReportedTraining Take(string name, double? before, TrainingOutcome outcome, double seconds)
    {
        ReportedLoss[] losses = [.. _losses];
        _losses.Clear();
        return new ReportedTraining(name, _set.Source, _set.Learned.Paths.Count, _set.Validation.Paths.Count, before, losses, outcome.Validations, outcome.Best, seconds);
    }

    public void Dispose()
    {
        Pictures.Dispose();
        _judge.Dispose();
    }

    private void Record(TrainingProgress update)
    {
        _sum += update.Loss;
        _count++;
        double loss = _sum / _count;
        if (update.Update % _reportEvery == 0 || update.Update == update.Updates)
        {
            _losses.Add(new ReportedLoss(update.Update, loss, update.LearningRate));
            (_sum, _count) = (0, 0);
        }

        string text = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"updates, loss {loss:G3}");
        _progress.Advance((int)Math.Min(update.Update, int.MaxValue), (int)Math.Min(update.Updates, int.MaxValue), text);
    }

    private sealed class Reporter(TrainingStage stage) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => stage.Record(value);
    }
}
