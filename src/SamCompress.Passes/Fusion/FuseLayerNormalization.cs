using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Fusion;

/// <summary>
/// Normalization over one axis in primitive operators => one node.
/// <code>
/// d = x - mean(x),  d / Sqrt(mean(d^2) + epsilon) * gamma + beta
///     over the last axis                =>  LayerNormalization(x, gamma, beta)
///     over the channels of [N, C, ...]  =>  Transpose(LayerNormalization(Transpose(x), gamma, beta))
/// </code>
/// </summary>
/// <remarks>
/// Exact up to rounding. Pow or Mul for the square; the axis an attribute or, from opset 18, an input. Guards: opset 17; both means along the same axis,
/// which they keep; gamma and beta are constants with one element for each place along it; no fewer channels than pay for the Transposes (docs/fusion.md).
/// </remarks>
public sealed class FuseLayerNormalization : RewriteRule
{
    private const long LayerNormalizationOpset = 17;

    /// <summary>With fewer the primitive operators are faster in ONNX Runtime, even where the Transposes cancel.</summary>
    private const long FewestChannels = 64;

    private readonly ValuePattern _x = Any();
    private readonly ValuePattern _epsilon = Any(v => v.Constant is { Count: 1 });
    private readonly ValuePattern _gamma = Constant();
    private readonly ValuePattern _beta = Constant();
    private readonly NodePattern _mean;
    private readonly NodePattern _variance;
    private readonly NodePattern _normalization;

    public FuseLayerNormalization()
    {
        _mean = Op("ReduceMean", _x).MoreInputs();
        NodePattern difference = Sub(_x, _mean);
        _variance = Op("ReduceMean", OneOf(Pow(difference, Scalar(2)), Mul(difference, difference))).MoreInputs();
        _normalization = Add(Mul(Div(difference, Sqrt(Add(_variance, _epsilon))), _gamma), _beta);
    }

    protected override ValuePattern Pattern => _normalization;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        Value x = match[_x];
        if (graph.Opset < LayerNormalizationOpset)
            return match.Reject($"opset {graph.Opset} has no LayerNormalization, opset {LayerNormalizationOpset} has");
        if (!x.ElementType.IsFloatingPoint() || x.Shape is not { } shape)
            return match.Reject("is not known to be floating point, or its rank is not known");
        if (AxisOf(match.Node(_mean), shape.Rank) is not { } axis || AxisOf(match.Node(_variance), shape.Rank) != axis)
            return match.Reject("the means are not along one axis that they keep");
        if (axis != shape.Rank - 1 && axis != 1)
            return match.Reject("normalizes neither the last axis nor channels");
        if (shape[axis].Value is not { } channels || !LiesAlong(match[_gamma], axis, shape.Rank, channels) || !LiesAlong(match[_beta], axis, shape.Rank, channels))
            return match.Reject("gamma or beta does not have one element for each place along the axis");
        bool isLast = axis == shape.Rank - 1;
        if (!isLast && channels < FewestChannels)
            return match.Reject($"{channels} channels are too few to pay for the Transposes");

        long[] toLast = [0, .. Enumerable.Range(2, shape.Rank - 2).Select(a => (long)a), 1];
        long[] toFirst = [0, shape.Rank - 1, .. Enumerable.Range(1, shape.Rank - 2).Select(a => (long)a)];
        Value normalized = graph.Op(
            "LayerNormalization",
            [isLast ? x : graph.Transpose(x, toLast), Vector(match[_gamma], graph), Vector(match[_beta], graph)],
            [NodeAttribute.Of("axis", -1L), NodeAttribute.Of("epsilon", (float)match[_epsilon].Constant!.ScalarOrNull()!.Value)]);
        return isLast ? normalized : graph.Transpose(normalized, toFirst);
    }

    /// <summary>The one axis that a ReduceMean takes the mean along and keeps, counted from the front; or null.</summary>
    private static int? AxisOf(Node mean, int rank)
    {
        IReadOnlyList<long>? axes = mean.GetInts("axes") ?? mean.Input(1).Integers();
        return mean.GetInt("keepdims", 1) == 1 && axes is [var axis] && axis >= -rank && axis < rank ? (int)(axis < 0 ? axis + rank : axis) : null;
    }

    /// <summary>Whether a constant, broadcast to a rank, has one element for each place along an axis and is the same along all others.</summary>
    private static bool LiesAlong(Value constant, int axis, int rank, long channels)
    {
        Tensor tensor = constant.Constant!;
        int place = tensor.Rank - rank + axis;
        return place >= 0 && place <= axis && tensor.Count == channels && tensor.Dimensions[place] == channels;
    }

    private static Value Vector(Value constant, GraphBuilder graph)
    {
        Tensor tensor = constant.Constant!;
        return tensor.Rank == 1 ? constant : graph.Constant(Tensor.FromBytes(tensor.ElementType, [tensor.Count], Bytes(tensor)), constant.Name);
    }

    private static byte[] Bytes(Tensor tensor)
    {
        using TensorLease lease = tensor.Open();
        return lease.Bytes.ToArray();
    }
}
