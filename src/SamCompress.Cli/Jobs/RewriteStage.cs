using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Recipes;
using SamCompress.Passes.Repair;
using SamCompress.Runtime.Observers;
using SamCompress.Runtime.Repair;

namespace SamCompress.Cli.Jobs;

/// <summary>A model of which attentions were rewritten.</summary>
/// <param name="Blocks">The numbers of these, and what each became.</param>
internal sealed record RewrittenModel(Model Model, IReadOnlyDictionary<int, string> Blocks);

/// <summary>Rewrites chosen attentions of copies of a model, and repairs the layers behind them.</summary>
/// <param name="source">Cleaned up; it stays as it is, and must live longer than the copies.</param>
/// <param name="teacher">Cleaned up: what layers are refitted to. May be <paramref name="source"/>.</param>
/// <param name="pictures">What positions and layers are fitted to; null when nothing may be.</param>
internal sealed class RewriteStage(
    RewriteStep step, Model source, Model teacher, CalibrationPictures? pictures, ExecutionRequest execution, PassContext context, List<PassRecord> passes, IJobProgress progress, CancellationToken cancellation)
{
    /// <summary>A rewritten copy, not repaired, and the numbers of the attentions that were rewritten: not those whose positions need all directions.</summary>
    /// <exception cref="SamCompressException">An attention is not there, or cannot be rewritten.</exception>
    public RewrittenModel Rewrite(AttentionSelection selection)
    {
        Model model = ModelCopy.Of(source);
        int[] reduced;
        try
        {
            int[] chosen = [.. selection.Of(SelfAttentionReader.Read(model)).Select(a => a.Number)];
            Run(model, StandardPipeline.Rewrite(First(selection)));
            if (step.Kind == RewriteKind.LinearAttention || step.LocalKernel is not null)
                return new RewrittenModel(model, chosen.ToDictionary(n => n, _ => UnreadableNow()));
            if (step.Kind == RewriteKind.LowRankPosition)
                Run(model, StandardPipeline.Rewrite(new ReduceRelativePosition(selection, Observe(model, selection), step.Error ?? ReduceRelativePosition.DefaultError, step.Rank)));
            IReadOnlyList<SelfAttention> after = SelfAttentionReader.Read(model).Attentions;
            reduced = step.Kind == RewriteKind.LowRankPosition ? [.. chosen.Where(n => after[n].Position is ProjectedPosition)] : chosen;
            if (reduced.Length == 0 || reduced.Length == chosen.Length)
                return new RewrittenModel(model, reduced.ToDictionary(n => n, n => Describe(after[n])));
        }
        catch
        {
            model.Dispose();
            throw;
        }

        // What is not reduced shall not be folded either.
        model.Dispose();
        return Rewrite(new AttentionSelection(reduced));
    }

    /// <summary>What became of an attention that <see cref="SelfAttentionReader"/> does not know any more.</summary>
    private string UnreadableNow() => (step.Kind == RewriteKind.LinearAttention ? "linear" : "dilated") + step.Mixing();

    private static string Describe(SelfAttention attention) => attention.Position is ProjectedPosition
        ? attention.Position.ToString()
        : string.Create(CultureInfo.InvariantCulture, $"{attention.Order.GroupCount} sets of {attention.Order.TokenCount} tokens");

    /// <summary>Refits layers of a rewritten model to what the teacher has in their place.</summary>
    public RepairPlan Repair(Model student) => new RepairRun(new RepairSettings { Session = execution.FrugalSession }).Run(
        teacher, student, RepairTargets.Of(source, student, teacher), Samples, cancellationToken: cancellation);

    /// <summary>The rewrite, or the exact one that a rewrite by statistics starts from.</summary>
    private AttentionRewrite First(AttentionSelection selection) => step.Kind switch
    {
        RewriteKind.DilatedAttention => new DilateAttention(selection, step.Interval!.Value, step.Segment, step.Axes, step.LocalKernel),
        RewriteKind.LinearAttention => new LinearizeAttention(selection, multiScale: step.MultiScale, localKernel: step.LocalKernel),
        _ => new FoldRelativePosition(selection),
    };

    private CalibrationStatistics Observe(Model model, AttentionSelection selection) =>
        new Calibrator(new CalibrationSettings { Session = execution.FrugalSession, MaxMemory = execution.MaxMemory }).Run(
            model,
            ReduceRelativePosition.RequestedStatistics(model, selection),
            Samples(),
            new CalibrationOrigin("", CommandLine.Version, pictures!.SetHash),
            cancellationToken: cancellation);

    private IEnumerable<CalibrationSample> Samples() => new CalibrationSamples(pictures!, progress, cancellation).ForEncoder(source);

    private void Run(Model model, IReadOnlyList<Pass> pipeline) => passes.AddRange(new PassPipeline(pipeline).Run(model, context));
}
