using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>Tells the values that do not depend on the data of an input: constants, what is computed from them, and sizes of tensors.</summary>
public sealed class ConstantFlow
{
    private readonly HashSet<Value> _constants = [];

    public ConstantFlow(Graph graph) => Add(graph);

    public bool IsConstant(Value value) => value.Constant is not null || _constants.Contains(value);

    private void Add(Graph graph)
    {
        foreach (Node node in graph.Nodes)
        {
            foreach (Graph subgraph in node.Subgraphs)
                Add(subgraph);
            bool constant = node.OpType is "Shape" or "Size"
                || (!IsRandom(node) && !node.Subgraphs.Any() && node.Inputs.All(input => input is null || IsConstant(input)));
            if (constant)
                _constants.UnionWith(node.Outputs.OfType<Value>());
        }
    }

    private static bool IsRandom(Node node) => node.OpType is "RandomNormal" or "RandomUniform" or "Multinomial" or "Bernoulli";
}
