using System.Diagnostics;
using SamCompress.IR;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Recipes;
using SamCompress.Runtime.Training;

namespace SamCompress.Cli.Jobs;

/// <summary>Slims an image encoder as a recipe says: prune, learn, prune, learn.</summary>
internal sealed class SlimmingStage(SlimStep step, ExecutionRequest execution, IJobProgress progress, CancellationToken cancellation)
{
    /// <param name="path">The encoder.</param>
    /// <param name="decoder">The file of the decoder, or null.</param>
    /// <param name="output">The file to write.</param>
    /// <param name="state">See <see cref="TrainingStage"/>.</param>
    public ReportedSlimming Run(string path, string? decoder, TrainingSet set, string output, string? state)
    {
        long start = Stopwatch.GetTimestamp();
        progress.Stage("read");
        using Model original = ModelSource.ReadEncoder(path, execution.Reading);
        TrainableModel.Prepare(original, cancellation);
        ModelCost before = CostModel.Measure(original);
        using Model? head = decoder is null ? null : ModelSource.ReadDecoder(decoder, execution.Reading);
        if (head is not null)
            MaskHead.Fix(head, points: 2);
        int phases = step.Alternate ? 2 : 1;
        using var training = new TrainingStage(path, decoder, set, step.Distillation, state, original.Graph.Inputs[0], phases, execution, progress, cancellation);
        var reported = new List<ReportedSlimmingPhase>();
        long phaseStart = Stopwatch.GetTimestamp();
        SlimmedModel slimmed = new SlimmingRun(Settings(training.Settings)).Run(
            original,
            head,
            training.Pictures,
            training.Score,
            progress.Stage,
            (done, total) => progress.Advance(done, total, "pictures"),
            phase =>
            {
                ReportedTraining trained = training.Take(phase.Name, phase.ScorePruned, phase.Outcome, Stopwatch.GetElapsedTime(phaseStart).TotalSeconds);
                phaseStart = Stopwatch.GetTimestamp();
                reported.Add(new ReportedSlimmingPhase([.. phase.Plan.Groups.Select(g => new PrunedGroup(g.Group, g.Kind.ToString(), g.Size, g.Kept.Length))], phase.Plan.Notes, trained));
            },
            training.Progress,
            cancellation);
        using (slimmed.Model)
        {
            ModelCost after = CostModel.Measure(slimmed.Model);
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
            OnnxWriter.Save(slimmed.Model, output);
            return new ReportedSlimming(step, before.Parameters, after.Parameters, before.Macs, after.Macs, reported, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
    }

    private SlimmingSettings Settings(DistillationSettings distillation) => new()
    {
        Ratio = step.Ratio,
        Importance = step.Importance,
        IsAlternate = step.Alternate,
        Ranking = step.Ranking,
        Normalization = step.Normalization,
        RoundTo = step.RoundTo,
        ImportancePictures = step.ImportancePictures,
        Distillation = distillation,
    };
}
