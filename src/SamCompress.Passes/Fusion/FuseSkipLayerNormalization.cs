using SamCompress.IR;
using SamCompress.Passes.Cleanup;

namespace SamCompress.Passes.Fusion;

/// <summary>LayerNormalization(s) with s = Add(a, b) => com.microsoft.SkipLayerNormalization(a, b), whose fourth output is s where something else reads it too.</summary>
/// <remarks>
/// Exact up to rounding. ONNX Runtime does not make this fusion itself where the sum is read again, and its kernel is several times as fast as that of LayerNormalization: the
/// benchmark "normalization" measures it. Guards: a and b have the same shape of rank 2 or 3, which is all that the kernel takes; float; the last axis only; scale and bias are constants; mean
/// and deviation are not used. The epsilon is written, because the operators have different defaults. For targets that take contributed operators, and after
/// equalization, which edits LayerNormalization.
/// </remarks>
public sealed class FuseSkipLayerNormalization : Pass
{
    private const float DefaultEpsilon = 1e-5f;

    public override int Apply(Model model, PassContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        int changes = 0;
        foreach (Graph graph in Constants.GraphsOf(model))
        {
            foreach (Node normalization in graph.Nodes)
            {
                if (SumBehind(normalization) is not { } sum || !context.Step(normalization, $"takes over {sum}"))
                    continue;
                Fuse(model, normalization, sum);
                changes++;
            }
        }

        return changes;
    }

    private static Node? SumBehind(Node normalization)
    {
        if (!normalization.Is("LayerNormalization") || normalization.Outputs.Skip(1).Any(o => o is { IsUsed: true }))
            return null;
        if (normalization.Input(0) is not { ElementType: ElementType.Float, Shape.Rank: 2 or 3, Producer: { } sum } || !sum.Is("Add") || sum.Graph != normalization.Graph)
            return null;
        bool isConstant = normalization.Input(1) is { Constant.Rank: 1 } && normalization.Input(2) is null or { Constant.Rank: 1 };
        return normalization.NormalizesLastAxis() && isConstant && sum.Input(0)!.HasShapeOf(sum.Input(1)!) ? sum : null;
    }

    private static void Fuse(Model model, Node normalization, Node sum)
    {
        Graph graph = sum.Graph!;
        (Value result, Value total) = (normalization.Output, sum.Output);
        bool isRead = total.IsGraphOutput || total.Uses.Any(u => u.Node != normalization);
        string name = graph.FreshName(result.Name + "_skip");
        Value?[] inputs = [sum.Input(0), sum.Input(1), normalization.Input(1), .. normalization.Input(2) is { } bias ? [bias] : Array.Empty<Value?>()];
        NodeAttribute[] attributes = [NodeAttribute.Of("epsilon", normalization.GetFloat("epsilon", DefaultEpsilon))];
        model.ImportOpset(OperatorDomain.Microsoft, 1);
        // Before the sum: what else reads it may stand before the normalization.
        Node fused = graph.InsertBefore(
            sum, "SkipLayerNormalization", inputs, isRead ? [name, "", "", graph.FreshName(name + "_sum")] : [name], attributes, OperatorDomain.Microsoft, normalization.Name);
        Replace(normalization, fused.Output);
        if (isRead)
            Replace(sum, fused.Outputs[3]!);
        else
            graph.Remove(sum);
    }

    /// <summary>Lets a value take the place, type, shape and name of the output of a node, which goes.</summary>
    private static void Replace(Node node, Value value)
    {
        Graph graph = node.Graph!;
        string name = node.Output.Name;
        (value.ElementType, value.Shape) = (node.Output.ElementType, node.Output.Shape);
        graph.Substitute(node.Output, value);
        graph.Remove(node);
        if (value.Name != name)
            value.Name = name;
    }
}
