using SamCompress.IR;
using SamCompress.IR.Analysis;

namespace SamCompress.Testing.Reference;

/// <summary>
/// Computes a model in double precision by the plain formulas of the operators' specification: for what ONNX Runtime has no kernel in double precision for. Constants and
/// float values are taken as doubles and nothing is rounded to float.
/// </summary>
public sealed class ReferenceEvaluator
{
    private readonly Model _model;
    private readonly IReadOnlyList<Node> _nodes;
    private readonly Dictionary<Value, ReferenceTensor> _values = [];

    public ReferenceEvaluator(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _nodes = TopologicalOrder.Of(model.Graph);
        foreach (Value value in model.Graph.Initializers)
            _values.Add(value, ReferenceTensor.Of(value.Initializer!));
    }

    /// <summary>Runs the model. The values of the first run are kept, and later runs compute only what depends on something that differs from it.</summary>
    /// <param name="inputs">Every input, and initializers that get other elements, by name.</param>
    /// <returns>The outputs of the graph.</returns>
    public IReadOnlyDictionary<string, double[]> Run(IReadOnlyDictionary<string, double[]> inputs) => Compute(inputs).ToDictionary(o => o.Key, o => o.Value.Data);

    /// <inheritdoc cref="Run"/>
    /// <param name="shapes">Of inputs whose own shapes are not fixed, by name.</param>
    public IReadOnlyDictionary<string, ReferenceTensor> Compute(IReadOnlyDictionary<string, double[]> inputs, IReadOnlyDictionary<string, int[]>? shapes = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var changed = new Dictionary<Value, ReferenceTensor>();
        foreach (Value value in _model.Graph.Inputs.Concat(_model.Graph.Initializers).Where(v => inputs.ContainsKey(v.Name)))
        {
            double[] elements = inputs[value.Name];
            if (!_values.TryGetValue(value, out ReferenceTensor? known) || !known.Data.AsSpan().SequenceEqual(elements))
            {
                int[] shape = shapes?.GetValueOrDefault(value.Name) ?? [.. value.Shape!.ToStatic()!.Select(d => (int)d)];
                changed.Add(value, new ReferenceTensor(value.ElementType, shape, [.. elements]));
            }
        }

        foreach (Node node in _nodes)
        {
            if (node.Outputs.All(o => o is null || _values.ContainsKey(o)) && !node.Inputs.Any(i => i is not null && changed.ContainsKey(i)))
                continue;
            ReferenceTensor?[] operands = [.. node.Inputs.Select(i => i is null ? null : changed.GetValueOrDefault(i) ?? _values[i])];
            IReadOnlyList<ReferenceTensor> results = ReferenceOperators.Of(node)(new ReferenceCall(node, operands, _model.Opset(node.Domain)));
            if (results.Count < node.Outputs.Count)
                throw new NotSupportedException($"{node} has more outputs than its reference");
            for (int i = 0; i < node.Outputs.Count; i++)
            {
                if (node.Outputs[i] is { } output)
                    changed[output] = results[i];
            }
        }

        Dictionary<string, ReferenceTensor> outputs = _model.Graph.Outputs.ToDictionary(o => o.Name, o => changed.GetValueOrDefault(o) ?? _values[o]);
        foreach ((Value value, ReferenceTensor tensor) in changed)
            _values.TryAdd(value, tensor);
        return outputs;
    }
}
