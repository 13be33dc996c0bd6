using SamCompress.IR;

namespace SamCompress.Passes.Cleanup;

/// <summary>What the folding passes share.</summary>
internal static class Constants
{
    /// <summary>The model's graph and its subgraphs. Bodies of functions, whose values have no types, are left alone.</summary>
    public static IReadOnlyList<Graph> GraphsOf(Model model)
    {
        var bodies = new HashSet<Graph>(model.Functions.Select(f => f.Body));
        return [.. model.AllGraphs().Where(g => !bodies.Contains(Outermost(g)))];
    }

    /// <summary>Lets everything that reads <paramref name="value"/> read an initializer instead, which takes over its name.</summary>
    /// <remarks>The value must not be a graph output. Its producer stays, unused as far as this output goes.</remarks>
    public static void Replace(Value value, Tensor tensor)
    {
        Graph graph = value.Graph!;
        string name = value.Name;
        value.Name = graph.FreshName(name + "_folded");
        value.ReplaceUsesWith(graph.AddInitializer(name, tensor));
    }

    private static Graph Outermost(Graph graph)
    {
        while (graph.Owner?.Graph is { } around)
            graph = around;
        return graph;
    }
}
