using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Differentiation;

/// <summary>
/// Reverse-mode differentiation of a graph by a graph: nodes that compute the gradient of a scalar are added behind the others, and only those that
/// the gradients asked for need. The rules of the operators: <see cref="GradientRules"/>.
/// </summary>
/// <remarks>Exact. Needs static shapes and operators of <see cref="GradientRules.All"/> between what is asked for and the loss.</remarks>
public static class Differentiator
{
    /// <summary>Adds the gradients of a loss to its graph.</summary>
    /// <param name="model">Cleaned up, with inferred shapes. Nothing that is there changes.</param>
    /// <param name="loss">One element.</param>
    /// <param name="wanted">Initializers, inputs or values between, of floating-point type.</param>
    /// <returns>For each value asked for its gradient, of its element type and shape; values on which the loss does not depend are left out.</returns>
    /// <exception cref="SamCompressException">Unsupported: an operator without a rule, which is named, or a shape that is not known.</exception>
    public static IReadOnlyDictionary<Value, Value> Differentiate(Model model, Value loss, IReadOnlyCollection<Value> wanted, DifferentiationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(wanted);
        if (loss.Shape?.ElementCount is not 1)
            throw new InvariantException($"the loss must have one element, and {loss} has not");
        if (wanted.FirstOrDefault(w => !w.ElementType.IsFloatingPoint()) is { } integer)
            throw new InvariantException($"{integer} has no gradient: its elements are no real numbers");
        IReadOnlyList<Node> nodes = TopologicalOrder.Of(model.Graph);
        var dependence = new GraphDependence(model.Graph, nodes, wanted);
        var graph = new GraphBuilder(model, "gradient");
        var recomputation = new Recomputation(new GraphBuilder(model, "again"), nodes, dependence, (options ?? DifferentiationOptions.Default).Checkpoints);
        var gradients = new Dictionary<Value, Value> { [loss] = One(graph, loss) };
        foreach (Node node in nodes.Reverse())
        {
            recomputation.Enter(node, gradients, wanted);
            Value?[] ofOutputs = [.. node.Outputs.Select(o => o is null ? null : gradients.GetValueOrDefault(o))];
            if (ofOutputs.All(g => g is null) || !dependence.ReadsWanted(node))
                continue;
            GradientRule rule = GradientRules.Of(node) ?? throw new SamCompressException(FailureKind.Unsupported, $"no gradient is known of the operator {node.OpType} ({node})") { Location = node.Name };
            rule.Backward(new GradientScope(node, new GraphBuilder(model, node.Output.Name + "_gradient"), ofOutputs, dependence.OnWanted, recomputation.Activation, Give));
        }

        return wanted.Distinct().Where(gradients.ContainsKey).ToDictionary(v => v, v => gradients[v]);

        void Give(Value value, Value gradient) => gradients[value] = gradients.TryGetValue(value, out Value? sum) ? graph.Add(sum, gradient) : gradient;
    }

    private static Value One(GraphBuilder graph, Value loss) => graph.Constant(loss.ElementType == ElementType.Double
        ? Tensor.Of<double>(ElementType.Double, [1], loss.Shape!.ToStatic()!)
        : Tensor.Of<float>(ElementType.Float, [1], loss.Shape!.ToStatic()!));
}
