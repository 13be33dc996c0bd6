using SamCompress.IR;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;

namespace SamCompress.Cli.Jobs;

/// <summary>How near a model in memory comes to the teacher.</summary>
internal sealed record MaskVerdict(double? MeanIou, double? EmbeddingSqnr)
{
    /// <summary>
    /// By embeddings: they have thousands of values a picture, where masks have a few prompts. On six pictures the mean mask IoU moves by 0.01 from set to set,
    /// which is more than a repair gains.
    /// </summary>
    public bool IsWorseThan(MaskVerdict other) => (EmbeddingSqnr ?? double.PositiveInfinity) < (other.EmbeddingSqnr ?? double.PositiveInfinity);
}

/// <summary>Judges encoders in memory by their masks: no artifact is written. What the teacher made of each picture is kept.</summary>
internal sealed class MaskJudge : IDisposable
{
    private readonly Teacher _teacher;
    private readonly ExecutionRequest _execution;
    private readonly ImageSet _pictures;

    private MaskJudge(Teacher teacher, ExecutionRequest execution, ImageSet pictures)
    {
        _teacher = teacher;
        _execution = execution;
        _pictures = pictures;
    }

    /// <summary>Runs the teacher once on every picture.</summary>
    public static MaskJudge Open(string encoder, string? decoder, IReadOnlyList<string> pictures, ExecutionRequest execution, IJobProgress progress, CancellationToken cancellation)
    {
        (Teacher teacher, ImageSet all) = TeacherAnswers.Open(
            encoder, decoder, pictures, execution, badPictures: 0, keepsEncoder: false, progress, done => progress.Advance(done, pictures.Count, "pictures"), cancellation);
        return new MaskJudge(teacher, execution, all);
    }

    public MaskVerdict Judge(Model student, CancellationToken cancellation)
    {
        using var encoder = ImageEncoder.Open(student, _execution.FrugalSession);
        EvaluationResult result = new Evaluator(_teacher, new EvaluationSettings { LatencyRounds = 0 }).Evaluate(encoder, _pictures, cancellationToken: cancellation);
        return new MaskVerdict(result.Masks?.MeanIou, result.EmbeddingSqnr);
    }

    public void Dispose() => _teacher.Dispose();
}
