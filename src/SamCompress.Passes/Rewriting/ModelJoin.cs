using SamCompress.IR;

namespace SamCompress.Passes.Rewriting;

/// <summary>Puts one model behind another: nodes and initializers of the second are added to the first, values under fresh names, nodes without.</summary>
public static class ModelJoin
{
    /// <param name="model">Gets the nodes of the other one at the end of its graph; what it has stays as it is.</param>
    /// <param name="other">Stays as it is, and must live as long as <paramref name="model"/>: its tensors are shared.</param>
    /// <param name="connections">For inputs of <paramref name="other"/> the value of <paramref name="model"/> that takes their place. Its other inputs become inputs of <paramref name="model"/>.</param>
    /// <returns>What each input, initializer and result of <paramref name="other"/> became, by its name there.</returns>
    /// <exception cref="SamCompressException">Unsupported: the models import different versions of an operator set, or the other one has functions or subgraphs.</exception>
    public static IReadOnlyDictionary<string, Value> Append(Model model, Model other, IReadOnlyDictionary<string, Value> connections)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(connections);
        foreach (OpsetImport import in other.OpsetImports)
        {
            long version = model.Opset(import.Domain);
            if (version != 0 && version != import.Version)
                throw Refused(other, $"it imports version {import.Version} of the operators '{(import.Domain.Length == 0 ? "ai.onnx" : import.Domain)}', the other model {version}");
        }

        if (other.Functions.Count > 0 || other.Graph.Nodes.Any(n => n.Subgraphs.Any()))
            throw Refused(other, "it has functions or subgraphs");
        foreach (OpsetImport import in other.OpsetImports)
            model.ImportOpset(import.Domain, import.Version);
        var values = new Dictionary<string, Value>(connections, StringComparer.Ordinal);
        foreach (Value initializer in other.Graph.Initializers)
            values.TryAdd(initializer.Name, model.Graph.AddInitializer(model.Graph.FreshName(initializer.Name), initializer.Initializer!));
        foreach (Value input in other.Graph.Inputs.Where(i => !values.ContainsKey(i.Name)))
            values[input.Name] = model.Graph.AddInput(model.Graph.FreshName(input.Name), input.ElementType, input.Shape);
        foreach (Node node in other.Graph.Nodes)
        {
            Node copy = model.Graph.Append(
                node.OpType,
                [.. node.Inputs.Select(i => i is null ? null : values[i.Name])],
                [.. node.Outputs.Select(o => o is null ? "" : model.Graph.FreshName(o.Name))],
                node.Attributes,
                node.Domain);
            foreach ((Value? made, Value? from) in copy.Outputs.Zip(node.Outputs))
            {
                if (made is null || from is null)
                    continue;
                (made.ElementType, made.Shape) = (from.ElementType, from.Shape);
                values[from.Name] = made;
            }
        }

        return values;
    }

    private static SamCompressException Refused(Model other, string why) =>
        new(FailureKind.Unsupported, $"the model cannot be put behind another one: {why}") { Location = other.Path ?? other.Graph.Name };
}
