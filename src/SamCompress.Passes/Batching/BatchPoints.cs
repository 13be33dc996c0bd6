using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Batching;

/// <summary>
/// Lets a mask decoder answer several prompts at once: the first axis of its points and labels, which exporters fix to 1, becomes the number of prompts B.
/// <code>
/// point_coords[1,N,2], point_labels[1,N] -> tokens -> Concat(learned[1,5,C], tokens) -> Reshape {1,0,8,16} -> ... -> masks[1,4,256,256]
/// point_coords[B,N,2], point_labels[B,N] -> tokens -> Concat(Expand(learned, [B,5,C]), tokens) -> Reshape {0,0,8,16} -> ... -> masks[B,4,256,256]
/// </code>
/// </summary>
/// <remarks>
/// Every prompt gets what it would get alone, up to the order in which a kernel adds. The axis is followed from points and labels through the graph; what does not depend on them keeps its
/// axis of 1, is computed once and broadcast, or repeated where an operator does not broadcast. Targets of Reshape and sizes of Resize that say 1 are made to say B.
/// Guards: the model is a decoder with one prompt axis of size 1; no subgraphs; every operator on the way is known to treat each element of the first axis by itself.
/// All or nothing: SC4401 names the operator that stands in the way. Behind cleanup, which folds the arithmetic on shapes that exporters write.
/// </remarks>
public sealed class BatchPoints : Pass
{
    /// <summary>The name of B.</summary>
    public const string Prompts = "num_prompts";

    /// <summary>The diagnostic for a decoder that stays as it is.</summary>
    public const string Refused = "SC4401";

    private static readonly string[] PromptInputs = ["point_coords", "point_labels"];

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        Graph graph = model.Graph;
        Value[] prompts = [.. graph.Inputs.Where(i => PromptInputs.Contains(i.Name, StringComparer.Ordinal))];
        if (prompts.Length != PromptInputs.Length || prompts.Any(p => p.Shape is not { Rank: > 1 } shape || shape[0].Value != 1) || graph.Nodes.First is not { } first)
            return 0;
        var axis = new BatchAxis(prompts);
        if (axis.Follow(graph) is { } refusal)
        {
            context.Report(Refused, Severity.Info, refusal.Where, $"prompts are decoded one by one: {refusal.Why}");
            return 0;
        }

        if (!context.Step(first, $"{axis.Values.Count} values get {Prompts}, {axis.Edits.Count} operands are changed"))
            return 0;
        var count = new Lazy<Value>(() =>
        {
            var builder = new GraphBuilder(model, first, Prompts);
            return builder.Slice(builder.Op("Shape", [prompts[0]]), axis: 0, start: 0, end: 1);
        });
        foreach (BatchEdit edit in axis.Edits)
            Change(model, edit, count);
        foreach (Value value in axis.Values)
            value.Shape = value.Shape is { } shape ? new Shape([Dimension.Of(Prompts), .. shape.Skip(1)]) : null;
        return 1 + axis.Edits.Count;
    }

    private static void Change(Model model, BatchEdit edit, Lazy<Value> count)
    {
        Value old = edit.Node.Input(edit.Input)!;
        var graph = new GraphBuilder(model, edit.Node, old.Name);
        edit.Node.ReplaceInput(edit.Input, edit.Kind switch
        {
            // Zero copies the size of the input's axis.
            BatchEditKind.Target => graph.Vector([0, .. old.Integers()![1..]]),
            BatchEditKind.Sizes when old.Integers() is { } sizes => graph.Concat([count.Value, graph.Vector(sizes.AsSpan(1))], axis: 0),
            BatchEditKind.Sizes => graph.Concat([count.Value, graph.Slice(old, axis: 0, start: 1, end: long.MaxValue)], axis: 0),
            _ => graph.Op("Expand", [old, graph.Concat([count.Value, graph.Vector([.. Enumerable.Repeat(1L, old.Shape!.Rank - 1)])], axis: 0)]),
        });
    }
}
