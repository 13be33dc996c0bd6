using System.Globalization;
using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Pruning.Tracing;

namespace SamCompress.Passes.Pruning;

/// <summary>
/// Takes channels away that a plan does not keep: Linear(Gelu(Linear(x; W1, b1)); W2, b2) => Linear(Gelu(Linear(x; W1[:, K], b1[K])); W2[K, :], b2), and likewise every member of
/// a group, with the sizes in targets of Reshapes, Splits, Slices and groups of convolutions.
/// </summary>
/// <remarks>
/// Decides nothing. For groups over which nothing normalizes (heads of attention, hidden channels) the result computes what the model would if the lost channels were zero, up to rounding:
/// factors of logits stay as they are. For embeddings it does not, because LayerNormalization takes its statistics over fewer channels. Big weights are cut when they are read.
/// A constant that several nodes read is cut for each as it needs. Source: algorithms.md 3.2 and 6.6.
/// </remarks>
public sealed class PruneChannels(PruningPlan plan) : Pass
{
    /// <exception cref="InvariantException">A group of the plan is not in the model, or has another size.</exception>
    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        ChannelGroups found = ChannelGroupFinder.Find(model);
        var lost = new HashSet<(int Group, int Channel)>();
        int changes = 0;
        foreach (GroupPlan decided in plan.Groups.Where(g => g.Kept.Length < g.Size))
        {
            int index = found.Groups.ToList().FindIndex(g => g.Name == decided.Group);
            if (index < 0 || found.Groups[index].Size != decided.Size)
                throw new InvariantException($"the model has no group '{decided.Group}' of {decided.Size} channels");
            if (decided.Kept.Length == 0)
                throw new InvariantException($"the plan keeps no channel of '{decided.Group}'");
            string what = string.Create(CultureInfo.InvariantCulture, $"keep {decided.Kept.Length} of {decided.Size} channels of {decided.Group}");
            if (!context.Step(found.Groups[index].Members[0].Reader, what))
                break;
            lost.UnionWith(Enumerable.Range(0, decided.Size).Except(decided.Kept).Select(c => (index, c)));
            changes++;
        }

        if (changes > 0)
            Cut(model, found, lost);
        return changes;
    }

    private static void Cut(Model model, ChannelGroups found, HashSet<(int Group, int Channel)> lost)
    {
        var known = new Dictionary<int[], int[]?>();
        int[]? Kept(int[]? axis)
        {
            if (axis is null)
                return null;
            if (known.TryGetValue(axis, out int[]? before))
                return before;
            int[] kept = [.. Enumerable.Range(0, axis.Length).Where(i => !found.Places.TryGetValue(found.Trace.Labels.Root(axis[i]), out (int, int) place) || !lost.Contains(place))];
            return known[axis] = kept.Length == axis.Length ? null : kept;
        }

        Node[] sized = [.. model.Graph.Nodes.Where(n => SizeConstants.Watched(found.Trace, n).Any(axis => Kept(axis) is not null))];
        foreach (Node node in sized)
            SizeConstants.Rewrite(found.Trace, node, Kept);
        CutConstants(model.Graph, found.Trace, Kept);
        Forget(model.Graph, found.Trace, Kept);
        ShapeFacts facts = ShapeInference.Infer(model);
        if (facts.Diagnostics.FirstOrDefault(d => d.Severity == Severity.Error) is { } broken)
            throw new InvariantException($"{broken.Where}: {broken.Message}");
    }

    /// <summary>Readers of an initializer that keep the same positions share the result; when those are all, it takes the place of the old one.</summary>
    private static void CutConstants(Graph graph, ChannelTrace trace, Func<int[]?, int[]?> kept)
    {
        foreach (IGrouping<Value, KeyValuePair<Use, int[]?[]>> readers in trace.Constants.GroupBy(c => c.Key.Node.Input(c.Key.InputIndex)!).ToArray())
        {
            Value value = readers.Key;
            foreach (IGrouping<string, (Use Use, int[]?[] Kept)> alike in readers.Select(r => (r.Key, r.Value.Select(kept).ToArray())).GroupBy(r => Key(r.Item2)).ToArray())
            {
                if (alike.First().Kept.All(k => k is null))
                    continue;
                Tensor cut = TensorSelection.Of(value.Constant!, alike.First().Kept);
                if (alike.Count() == value.Uses.Count)
                {
                    graph.SetInitializer(value, cut);
                    continue;
                }

                Value own = graph.AddInitializer(graph.FreshName(value.Name + "_pruned"), cut);
                foreach ((Use use, _) in alike)
                    use.Node.ReplaceInput(use.InputIndex, own);
            }
        }

        graph.RemoveUnusedInitializers();
    }

    private static string Key(int[]?[] kept) => string.Join(';', kept.Select(k => k is null ? "*" : string.Join(',', k)));

    /// <summary>Sets the shapes of what lost positions: inference would take the old ones for declared.</summary>
    private static void Forget(Graph graph, ChannelTrace trace, Func<int[]?, int[]?> kept)
    {
        foreach (Value output in graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>())
        {
            if (trace.Of(output) is { } axes && axes.Any(a => kept(a) is not null))
                output.Shape = new Shape(output.Shape!.Select((size, axis) => kept(axes[axis]) is { } k ? k.Length : size));
        }
    }
}
