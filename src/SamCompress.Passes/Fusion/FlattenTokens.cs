using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Fusion;

/// <summary>
/// Computes what treats every token alike on a matrix of tokens: a region of row-wise operators over values [..., C], however they are shaped, becomes one over [rows, C].
/// <code>
/// x[1,64,64,C] -> LayerNormalization -> MatMul -> Add -> Gelu -> MatMul -> Add -> + x -> y[1,64,64,C]
/// x -> Reshape [4096,C] -> LayerNormalization -> MatMul -> Add -> Gelu -> MatMul -> Add -> + -> Reshape [1,64,64,C] -> y
/// </code>
/// </summary>
/// <remarks>
/// Exact. Row-wise are LayerNormalization over the last axis, MatMul with a constant matrix, activation functions, Add and its like of equal shapes or with a scalar, a constant
/// for each column or a constant of all elements, and a Reshape that leaves the last axis as it is, which goes. A region is all that is connected; at its
/// borders the Reshapes made here merge with those around. Guards: static shapes; the region saves more nodes, an Add for each Linear with a bias (see FuseGemm) and the Reshapes that
/// go, than Reshapes stay at its borders. Graph outputs keep their shape.
/// </remarks>
public sealed class FlattenTokens : Pass
{
    /// <param name="Nodes">In graph order, each with the inputs that are rows.</param>
    private sealed record Region(List<(Node Node, IReadOnlyList<int> Data)> Nodes, HashSet<Value> Values);

    private static readonly Rewriter Merging = new("merge-reshapes", [new MergeReshapes(), new EliminateReshape()]);

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        foreach (Graph graph in Constants.GraphsOf(model))
        {
            foreach (Region region in Regions(graph))
            {
                int saved = Saved(region), kept = BordersThatStay(region);
                Node first = region.Nodes[0].Node;
                if (saved <= kept || !context.Step(first, $"{region.Nodes.Count} nodes on {RowWiseOperators.RowsOf(first.Output)} rows, {saved} saved for {kept}"))
                    continue;
                new Flattening(graph, [.. region.Nodes.Select(n => n.Node)]).Apply(region.Nodes);
                changes++;
            }
        }

        return changes == 0 ? 0 : changes + Merging.Apply(model, context);
    }

    /// <summary>The connected regions in graph order: nodes that share a value, as what they read or as what they write.</summary>
    private static List<Region> Regions(Graph graph)
    {
        var regionOf = new Dictionary<Value, Region>();
        foreach (Node node in graph.Nodes)
        {
            if (RowWiseOperators.DataInputs(node) is not { } data)
                continue;
            var joined = new Region([(node, data)], [node.Output, .. data.Select(i => node.Input(i)!)]);
            foreach (Region other in joined.Values.Select(v => regionOf.GetValueOrDefault(v)).OfType<Region>().Distinct().ToList())
            {
                joined.Nodes.InsertRange(0, other.Nodes);
                joined.Values.UnionWith(other.Values);
            }

            foreach (Value value in joined.Values)
                regionOf[value] = joined;
        }

        Dictionary<Node, int> places = graph.Nodes.Select((node, place) => (node, place)).ToDictionary(p => p.node, p => p.place);
        List<Region> regions = [.. regionOf.Values.Distinct()];
        foreach (Region region in regions)
            region.Nodes.Sort((a, b) => places[a.Node].CompareTo(places[b.Node]));
        return [.. regions.OrderBy(r => places[r.Nodes[0].Node])];
    }

    private static int Saved(Region region) => region.Nodes.Count(n => RowWiseOperators.IsReshape(n.Node) || IsLinearWithBias(n.Node));

    private static bool IsLinearWithBias(Node node) =>
        node.OpType == "MatMul" && node.Output is { IsGraphOutput: false, Shape.Rank: > 2, Uses: [{ Node: { OpType: "Add", Domain: "" } add, InputIndex: var place }] }
        && add.Input(1 - place)?.Constant is { } bias && bias.Count == RowWiseOperators.WidthOf(node.Output);

    /// <summary>Where the region is entered or left and no Reshape stands there that the new one joins with.</summary>
    private static int BordersThatStay(Region region)
    {
        HashSet<Node> inside = [.. region.Nodes.Select(n => n.Node)];
        return region.Values.Count(value =>
        {
            if (value.Shape!.Rank == 2)
                return false;
            bool isMade = value.Producer is { } producer && inside.Contains(producer);
            if (!isMade)
                return value.Producer is null || !RowWiseOperators.IsReshape(value.Producer) || value.IsGraphOutput || value.Uses.Any(u => !inside.Contains(u.Node));
            return value.IsGraphOutput || value.Uses.Any(u => !inside.Contains(u.Node) && !RowWiseOperators.IsReshape(u.Node));
        });
    }
}
