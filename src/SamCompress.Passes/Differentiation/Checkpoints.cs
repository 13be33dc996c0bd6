using SamCompress.IR;
using SamCompress.IR.Analysis;

namespace SamCompress.Passes.Differentiation;

/// <summary>Finds values that are worth keeping for the backward graph.</summary>
public static class Checkpoints
{
    private static readonly string[] SharesMemory = ["Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"];

    /// <summary>How many lengths of segments are tried, as multiples of the shortest one.</summary>
    private const int Lengths = 16;

    /// <summary>
    /// Chooses among the values through which everything behind them depends on what is before them: those that make the least of the bytes kept and
    /// twice those of the largest segment between them, for its activations and their gradients.
    /// </summary>
    /// <param name="model">With a loss and static shapes, before it is differentiated.</param>
    /// <param name="wanted">What gradients will be asked for.</param>
    /// <returns>In the order of the graph; empty when the graph has no such value.</returns>
    public static IReadOnlyList<Value> Find(Model model, IReadOnlyCollection<Value> wanted)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(wanted);
        IReadOnlyList<Node> order = TopologicalOrder.Of(model.Graph);
        var dependence = new GraphDependence(model.Graph, order, wanted);
        List<(Value Value, long Before)> candidates = Candidates(order, v => dependence.OnWanted(v) && dependence.OnInputs(v));
        long shortest = Longest(candidates);
        return [.. Enumerable.Range(1, Lengths).Select(n => Choose(candidates, n * shortest)).MinBy(Cost)!.SkipLast(1).Select(c => c.Value)];
    }

    /// <summary>The values that stand alone between what is before and what is behind them, and the bytes of the activations up to each. The last one is the loss, or near it.</summary>
    private static List<(Value Value, long Before)> Candidates(IReadOnlyList<Node> order, Func<Value, bool> counts)
    {
        var candidates = new List<(Value, long)>();
        var open = new Dictionary<Value, int>();
        var inside = order.ToHashSet();
        long bytes = 0;
        foreach (Node node in order)
        {
            foreach (Value input in node.Inputs.OfType<Value>().Where(open.ContainsKey))
            {
                if (--open[input] == 0)
                    open.Remove(input);
            }

            foreach (Value output in node.Outputs.OfType<Value>().Where(counts))
            {
                bytes += SharesMemory.Contains(node.OpType) ? 0 : Bytes(output);
                if (output.Uses.Count(u => inside.Contains(u.Node)) is > 0 and var uses)
                    open.Add(output, uses);
            }

            if (open.Count == 1 && open.Keys.Single() is var alone && (candidates.Count == 0 || candidates[^1].Item1 != alone))
                candidates.Add((alone, bytes));
        }

        return candidates;
    }

    /// <summary>The last candidates before segments would become longer than that, and the end.</summary>
    private static List<(Value Value, long Before)> Choose(List<(Value Value, long Before)> candidates, long length)
    {
        var chosen = new List<(Value Value, long Before)>();
        for (int i = 0; i < candidates.Count; i++)
        {
            if (i == candidates.Count - 1 || candidates[i + 1].Before - (chosen.Count == 0 ? 0 : chosen[^1].Before) > length)
                chosen.Add(candidates[i]);
        }

        return chosen;
    }

    private static long Cost(List<(Value Value, long Before)> chosen) =>
        chosen.Sum(c => Bytes(c.Value)) + (2 * Longest(chosen));

    private static long Longest(List<(Value Value, long Before)> values) =>
        values.Select((v, i) => v.Before - (i == 0 ? 0 : values[i - 1].Before)).DefaultIfEmpty().Max();

    private static long Bytes(Value value) => value.ElementType.ByteLength(value.Shape?.ElementCount ?? 0);
}
