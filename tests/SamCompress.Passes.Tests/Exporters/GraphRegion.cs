using System.Text;
using SamCompress.IR;
using SamCompress.Passes.Cleanup;

namespace SamCompress.Passes.Tests.Exporters;

/// <summary>A part of a graph as a model of its own.</summary>
internal static class GraphRegion
{
    private const string ExporterSuffix = "_output_0";

    /// <summary>
    /// All that lies between values, which become inputs x0, x1, ... and outputs y0, y1, .... Other names lose the prefix and what exporters add,
    /// nodes have none. Shares the tensors of the model.
    /// </summary>
    public static Model Cut(Model model, IReadOnlyList<string> from, IReadOnlyList<string> to, string prefix)
    {
        Model part = ModelCopy.Of(model);
        Graph graph = part.Graph;
        Dictionary<string, Value> values = graph.Inputs.Concat(graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>()).ToDictionary(v => v.Name, StringComparer.Ordinal);
        Value[] ends = [.. to.Select(name => values[name])];
        for (int i = 0; i < from.Count; i++)
        {
            Value start = values[from[i]];
            start.ReplaceUsesWith(graph.AddInput($"x{i}", start.ElementType, start.Shape));
        }

        while (graph.Outputs.Count > 0)
            graph.RemoveOutput(0);
        foreach (Value end in ends)
            graph.AddOutput(end);
        new EliminateDeadNodes().Apply(part, PassCheck.Context());
        graph.RemoveUnusedInitializers();
        for (int i = graph.Inputs.Count - 1; i >= 0; i--)
        {
            if (!graph.Inputs[i].IsUsed)
                graph.RemoveInput(i);
        }

        Rename(graph, prefix);
        return part;
    }

    private static void Rename(Graph graph, string prefix)
    {
        foreach (Node node in graph.Nodes)
            node.Name = "";
        foreach (Value value in graph.Initializers.Concat(graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>()).ToArray())
        {
            if (Short(value.Name, prefix) is var name && name != value.Name)
                value.Name = graph.FreshName(name);
        }

        for (int i = 0; i < graph.Outputs.Count; i++)
            graph.Outputs[i].Name = $"y{i}";
    }

    private static string Short(string name, string prefix)
    {
        string dotted = prefix.Trim('/').Replace('/', '.') + ".";
        foreach (string start in new[] { prefix, dotted })
            name = name.StartsWith(start, StringComparison.Ordinal) ? name[start.Length..] : name;
        var text = new StringBuilder(name.Replace(ExporterSuffix, "", StringComparison.Ordinal));
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsAsciiLetterOrDigit(text[i]))
                text[i] = '_';
        }

        return text.ToString().Trim('_');
    }
}
