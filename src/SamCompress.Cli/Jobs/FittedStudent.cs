using SamCompress.IR;
using SamCompress.Passes.Repair;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;

namespace SamCompress.Cli.Jobs;

/// <summary>What jobs share that change an encoder approximately: pictures to fit to and others to judge by, a repair that must help, the comparison of what was written.</summary>
/// <param name="heldOut">Pictures to which nothing was fitted.</param>
internal sealed class FittedStudent(string teacher, string? decoder, string[] heldOut, ExecutionRequest execution, StageClock clock, IJobProgress progress, CancellationToken cancellation)
{
    /// <summary>Of the calibration pictures, one in so many judges when there are no others; and one in so many is for the choice of blocks.</summary>
    public const int HoldOutEvery = 4;

    /// <summary>Those to fit to, and others to judge by: taken from the calibration pictures when these are all.</summary>
    public static CalibrationPictures Pictures(CalibrationRequest request, string teacherHash)
    {
        CalibrationPictures pictures = CalibrationPictures.Choose(request, teacherHash, ValidationStage.MostPictures);
        CalibrationPictures split = pictures.HeldOut.Count > 0 ? pictures : pictures.HoldOutEvery(HoldOutEvery);
        return split.HeldOut.Count > 0
            ? split
            : throw new SamCompressException(FailureKind.InputRejected, $"{pictures.Source} holds {pictures.Calibration.Count} pictures, and a rewrite needs {HoldOutEvery} or more", "it is judged by pictures that it was not fitted to; give more with --calibration-data.");
    }

    public static string[] Judges(IReadOnlyList<string> candidates, bool isSmall) =>
        [.. SensitivityJob.Chosen(candidates, Math.Min(candidates.Count, isSmall ? ValidationStage.MostPictures : ValidationStage.PicturesOfLargeModel))];

    /// <summary>Repairs a copy; it is kept when the embeddings are no worse with it, on pictures that it did not see.</summary>
    /// <returns>The better one; the other is disposed of.</returns>
    public (Model Result, ReportedRepair Repair) Repair(Model plain, Func<Model, RepairPlan> repair)
    {
        clock.Start("repair");
        Model repaired = ModelCopy.Of(plain);
        RepairPlan plan = repair(repaired);
        clock.Start("judge repair");
        using var judge = MaskJudge.Open(teacher, decoder, heldOut, execution, progress, cancellation);
        MaskVerdict without = judge.Judge(plain, cancellation), with = judge.Judge(repaired, cancellation);
        bool isKept = !with.IsWorseThan(without);
        (isKept ? plain : repaired).Dispose();
        return (isKept ? repaired : plain, new ReportedRepair(isKept, without.MeanIou, with.MeanIou, without.EmbeddingSqnr, with.EmbeddingSqnr, [.. plan.Layers.Select(RepairedLayer.Of)]));
    }

    /// <summary>Judges what was written; the worst pictures are to be looked at.</summary>
    public (ReportedQuality Quality, ReportedSpeed Speed, IReadOnlyList<PictureMasks> Worst) Compare(string student, bool isSmall)
    {
        var comparison = new Comparison(execution, progress, cancellation);
        ImageSet set = ImageSet.Of(heldOut);
        (EvaluationResult result, ReportedSpeed speed) = isSmall ? comparison.Together(teacher, student, decoder, set) : comparison.Apart(teacher, student, decoder, set);
        return (ReportedQuality.Of(result, heldOut: true, decoder), speed, result.Worst);
    }
}
