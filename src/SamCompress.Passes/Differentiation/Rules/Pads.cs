using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>Zeros around a value.</summary>
internal static class Pads
{
    /// <summary>Adds zeros before and after each axis; a negative number of them cuts off.</summary>
    public static Value Around(GraphBuilder graph, Value x, long[] before, long[] after) =>
        before.Concat(after).All(p => p == 0) ? x : graph.Op("Pad", [x, graph.Vector([.. before, .. after])]);
}
