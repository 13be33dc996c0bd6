using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Fusion;

/// <summary>Add(MatMul(x, W), b) => Gemm(x, W, b) for a matrix x.</summary>
/// <remarks>
/// Exact up to rounding: a kernel may add the bias first instead of last. ONNX Runtime makes the same fusion when it opens a model, so that what it computes does not change.
/// Guards: x has rank 2; W is a constant matrix [K,N]; b is a constant [N] or [1,N]; float; opset 7 or later, whose Gemm broadcasts b. The node keeps the name of the MatMul,
/// by which layers are selected and reported.
/// </remarks>
public sealed class FuseGemm : RewriteRule
{
    private const long FirstBroadcasting = 7;

    private readonly ValuePattern _x = Any();
    private readonly ValuePattern _weight = Constant();
    private readonly ValuePattern _bias = Constant();
    private readonly NodePattern _product;

    public FuseGemm() => _product = MatMul(_x, _weight);

    protected override ValuePattern Pattern => Add(_product, _bias);

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        Tensor weight = match[_weight].Constant!, bias = match[_bias].Constant!;
        if (graph.Opset < FirstBroadcasting)
            return match.Reject("Gemm of this opset does not broadcast its bias");
        if (match[_x].Shape is not { Rank: 2 })
            return match.Reject("x is no matrix");
        if (weight is not { Rank: 2, ElementType: ElementType.Float } || match[_x].ElementType != ElementType.Float)
            return match.Reject("the weight is no matrix of type float");
        if (bias.Rank is not (1 or 2) || bias.Dimensions[^1] != weight.Dimensions[1] || bias.Count != weight.Dimensions[1])
            return match.Reject("the bias does not have one element for each column");
        Value result = graph.Op("Gemm", [match[_x], match[_weight], match[_bias]]);
        result.Producer!.Name = match.Node(_product).Name;
        return result;
    }
}
