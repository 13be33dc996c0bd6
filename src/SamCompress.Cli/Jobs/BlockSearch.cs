using SamCompress.IR;
using SamCompress.Passes.Attention;

namespace SamCompress.Cli.Jobs;

/// <summary>
/// Chooses attentions to rewrite by what they cost: each is rewritten and repaired alone, and they are then rewritten together in the order of their damage, as
/// long as the masks stay good enough.
/// </summary>
/// <param name="judge">Of pictures that the repair is not fitted to.</param>
internal sealed class BlockSearch(RewriteStage stage, bool repair, MaskJudge judge, IJobProgress progress, CancellationToken cancellation)
{
    /// <param name="candidates">The numbers of the attentions.</param>
    /// <returns>The chosen numbers, in order, and all that was tried.</returns>
    public (IReadOnlyList<int> Chosen, IReadOnlyList<ReportedTrial> Trials) Run(IReadOnlyList<int> candidates, double wanted)
    {
        var trials = new List<ReportedTrial>();
        foreach (int candidate in candidates)
            trials.Add(Try([candidate], wanted));
        int[] chosen = [];
        foreach (ReportedTrial alone in trials.Where(t => t.Kept).OrderBy(t => t.Loss).ToArray())
        {
            if (chosen.Length > 0)
            {
                ReportedTrial together = Try([.. chosen.Concat(alone.Blocks).Order()], wanted);
                trials.Add(together);
                if (!together.Kept)
                    break;
            }

            chosen = [.. chosen.Concat(alone.Blocks).Order()];
        }

        return (chosen, trials);
    }

    private ReportedTrial Try(IReadOnlyList<int> blocks, double wanted)
    {
        using Model model = stage.Rewrite(new AttentionSelection(blocks)).Model;
        if (repair)
            stage.Repair(model);
        double iou = judge.Judge(model, cancellation).MeanIou ?? 0;
        var trial = new ReportedTrial(blocks, iou, iou >= wanted);
        progress.Note(Rendering.RewriteText.Trial(trial, wanted));
        return trial;
    }
}
