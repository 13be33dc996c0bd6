using SamCompress.IR;
using SamCompress.Passes.Targets;

namespace SamCompress.Passes.Quantization;

/// <summary>Decides about the products of two activations in attention, where a target wants them quantized at all.</summary>
internal sealed class AttentionPlanner(Graph graph, TargetDescription target)
{
    private readonly IReadOnlyList<AttentionProduct> _products = target.AttentionMatMul.Execution == LayerExecution.Integer ? AttentionProductFinder.Find(graph) : [];

    /// <summary>The factors of the products to quantize.</summary>
    public IEnumerable<ObservedValue> RequiredStatistics => Quantized.SelectMany(p => new[]
    {
        new ObservedValue(p.Left.Name, -1, (int)Dimension(p.Left, 1)!.Value),
        p.BehindSoftmax ? new ObservedValue(p.Right.Name, -1, (int)Dimension(p.Right, 1)!.Value) : new ObservedValue(p.Right.Name, -2, (int)Dimension(p.Right, 2)!.Value),
    });

    /// <summary>Whether a factor comes from a Softmax.</summary>
    public bool IsProbability(string value) => Quantized.Any(p => p.BehindSoftmax && p.Left.Name == value);

    private IEnumerable<AttentionProduct> Quantized => _products.Where(p => WhyFloat(p) is null);

    /// <summary>The plans of layers with those of the products among them, in graph order.</summary>
    public IReadOnlyList<LayerPlan> Merge(IReadOnlyList<LayerPlan> layers)
    {
        if (_products.Count == 0)
            return layers;
        Dictionary<string, LayerPlan> all = layers.Concat(_products.Select(Plan)).ToDictionary(l => l.NodeOutput, StringComparer.Ordinal);
        return [.. graph.Nodes.Where(n => n.Outputs is [{ }, ..]).Select(n => all.GetValueOrDefault(n.Output.Name)).OfType<LayerPlan>()];
    }

    private LayerPlan Plan(AttentionProduct product)
    {
        string? reason = WhyFloat(product);
        return new LayerPlan
        {
            Name = product.Name,
            NodeOutput = product.Node.Output.Name,
            Kind = LayerKind.AttentionMatMul,
            Execution = reason is null ? LayerExecution.Integer : LayerExecution.Float,
            Form = target.AttentionMatMul.Form,
            Why = reason ?? target.AttentionMatMul.Why,
            Input = product.Left.Name,
            SecondInput = product.Right.Name,
            WeightName = "",
        };
    }

    private string? WhyFloat(AttentionProduct product)
    {
        long?[] known = [Dimension(product.Left, 1), Dimension(product.Left, 2), Dimension(product.Right, 1), Dimension(product.Right, 2)];
        if (known.Contains(null))
            return "the size of a factor is not known";
        return target.LongestQuantizedAttention > 0 && known.Max() > target.LongestQuantizedAttention
            ? $"{known.Max()} tokens: {target.Name} quantizes attention up to {target.LongestQuantizedAttention}"
            : null;
    }

    /// <summary>A dimension counted from the end, 1 the last one.</summary>
    private static long? Dimension(Value value, int fromEnd) => value.Shape is { } shape && shape.Rank >= fromEnd ? shape[shape.Rank - fromEnd].Value : null;
}
