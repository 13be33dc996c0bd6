using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>
/// Tells the values that do not depend on the data of an input: constants, what is computed from them, sizes of tensors,
/// the number of an iteration, and what a Scan cuts from a constant.
/// </summary>
public sealed class ConstantFlow
{
    private readonly HashSet<Value> _constants = [];

    public ConstantFlow(Graph graph) => Add(graph);

    public bool IsConstant(Value value) => value.Constant is not null || _constants.Contains(value);

    /// <summary>Whether nothing that the node computes depends on the data of an input: it runs once, if at all.</summary>
    public bool IsConstant(Node node) => node.Outputs.All(output => output is null || IsConstant(output));

    private void Add(Graph graph)
    {
        foreach (Node node in graph.Nodes)
        {
            foreach (Graph subgraph in node.Subgraphs)
            {
                AddInputs(node, subgraph);
                Add(subgraph);
            }

            bool constant = node.OpType is "Shape" or "Size"
                || (!IsRandom(node) && !node.Subgraphs.Any() && node.Inputs.All(input => input is null || IsConstant(input)));
            if (constant)
                _constants.UnionWith(node.Outputs.OfType<Value>());
        }
    }

    private void AddInputs(Node owner, Graph body)
    {
        if (owner.Is("Loop") && body.Inputs.Count > 0)
            _constants.Add(body.Inputs[0]);
        if (!owner.Is("Scan"))
            return;
        foreach (int i in Enumerable.Range(0, Math.Min(body.Inputs.Count, owner.Inputs.Count)).Skip(TripCount.CarriedByScan(owner)))
        {
            if (owner.Input(i) is { } scanned && IsConstant(scanned))
                _constants.Add(body.Inputs[i]);
        }
    }

    private static bool IsRandom(Node node) => node.OpType is "RandomNormal" or "RandomUniform" or "Multinomial" or "Bernoulli";
}
