using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Repair;

namespace SamCompress.Cli.Jobs;

/// <summary>Which layers of a student are refitted: from the first one that reads something else than it did, those that a residual is added to, and those of the neck.</summary>
internal static class RepairTargets
{
    /// <param name="source">The student before its attentions were rewritten.</param>
    public static IReadOnlyList<RepairTarget> Of(Model source, Model student, Model teacher)
    {
        Dictionary<string, string> before = LayerFinder.Find(source.Graph).DistinctBy(l => l.Name).ToDictionary(l => l.Name, l => l.Input.Name, StringComparer.Ordinal);
        return
        [
            .. LayerFinder.Find(student.Graph).DistinctBy(l => l.Name)
                .SkipWhile(l => before.GetValueOrDefault(l.Name) == l.Input.Name)
                .Where(l => RepairableLayer.Refusal(l) is null)
                .Select(l => (Layer: l, Target: RepairTarget.Of(l, teacher)))
                .Where(t => t.Target is { Residual: not null } || t.Layer.Kind == LayerKind.Conv)
                .Select(t => t.Target).OfType<RepairTarget>(),
        ];
    }
}
