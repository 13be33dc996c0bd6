using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Distillation;

/// <summary>
/// The values inside an image encoder that a student is compared with its teacher by, found on the graph, each in its order. A rewrite or a pruning in
/// place keeps their names, so the names of the teacher's are those of the student's.
/// </summary>
/// <param name="Embedding">The first output.</param>
/// <param name="Stream">
/// The residual stream: what the blocks start from, and the sum behind each attention and each MLP (SlimSAM's embedding features E). Their channels are
/// those of the embedding dimension.
/// </param>
/// <param name="QueryKeyValue">Of each attention, what its Linear gives before the heads are split.</param>
/// <param name="Hidden">Of each MLP, what the Gelu between its two Linears gives.</param>
/// <remarks>Source: SlimSAM (arXiv 2312.05284), equations 5 to 8.</remarks>
public sealed record EncoderFeatures(Value Embedding, IReadOnlyList<Value> Stream, IReadOnlyList<Value> QueryKeyValue, IReadOnlyList<Value> Hidden)
{
    /// <summary>QueryKeyValue and Hidden: the features whose channels a pruning of the embedding dimension leaves.</summary>
    public IEnumerable<Value> Bottlenecks => QueryKeyValue.Concat(Hidden);

    /// <param name="model">Cleaned up and fused (<see cref="StandardPipeline.Fusion"/>), with inferred shapes.</param>
    public static EncoderFeatures Of(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Dictionary<Value, QuantizableLayer> readers = [];
        HashSet<Value> written = [];
        foreach (QuantizableLayer layer in LayerFinder.Find(model.Graph).Where(l => l.Kind == LayerKind.Linear))
        {
            readers.TryAdd(layer.Input, layer);
            written.Add(layer.Output);
        }

        Node[] sums = [.. model.Graph.Nodes.Where(IsResidualSum)];
        HashSet<Value> sumValues = [.. sums.Select(s => s.Output)];
        Value[] start = [.. sums.Take(1).SelectMany(s => s.Inputs.OfType<Value>()).Where(v => v.Uses.Count > 1 && !sumValues.Contains(v)).Take(1)];
        return new EncoderFeatures(
            model.Graph.Outputs[0],
            [.. start, .. sums.Select(s => s.Output)],
            [.. SelfAttentionReader.Read(model).Attentions.Select(a => a.Layer.Output).Distinct()],
            [.. model.Graph.Nodes.Where(n => n.OpType is "Gelu" or "FastGelu" && n.Input(0) is { } x && written.Contains(x) && readers.ContainsKey(n.Output)).Select(n => n.Output)]);
    }

    /// <summary>x + f(x): two activations of one shape. Logits and positions have different ones, which broadcast, or a Softmax reads their sum.</summary>
    private static bool IsResidualSum(Node node) =>
        node.Is("Add") && node.Inputs is [{ Producer: not null, Shape: { } a }, { Producer: not null, Shape: { } b }] && a.Equals(b)
        && !node.Output.Uses.All(u => u.Node.Is("Softmax"));
}
