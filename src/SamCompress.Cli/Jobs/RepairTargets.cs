using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Repair;

namespace SamCompress.Cli.Jobs;

/// <summary>
/// Which layers of a student are refitted: from the first one that reads something else than it did, or has another size, those that a residual is added to. Not those of the neck: with them
/// dilation by 4 of the hard sample model gains 0.003 of mean mask IoU in float, and loses 0.02 once it is quantized.
/// </summary>
internal static class RepairTargets
{
    /// <param name="source">The student before it was changed.</param>
    public static IReadOnlyList<RepairTarget> Of(Model source, Model student, Model teacher)
    {
        var before = LayerFinder.Find(source.Graph).DistinctBy(l => l.Name).ToDictionary(l => l.Name, Form, StringComparer.Ordinal);
        return
        [
            .. LayerFinder.Find(student.Graph).DistinctBy(l => l.Name)
                .SkipWhile(l => before.GetValueOrDefault(l.Name) == Form(l))
                .Where(l => RepairableLayer.Refusal(l) is null)
                .Select(l => RepairTarget.Of(l, teacher)).OfType<RepairTarget>().Where(t => t.Residual is not null),
        ];
    }

    private static (string Input, int InputChannels, int OutputChannels) Form(QuantizableLayer layer) => (layer.Input.Name, layer.InputChannels, layer.OutputChannels);
}
