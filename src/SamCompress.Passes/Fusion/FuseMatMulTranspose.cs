using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Fusion;

/// <summary>MatMul(a, Transpose(b)) => com.microsoft.FusedMatMul(a, b) with transB = 1, where the last two axes are swapped.</summary>
/// <remarks>
/// Exact. ONNX Runtime makes the same fusion when it opens a model: it saves a node, no time. Guards: the transposition swaps the last two axes and no others; float; at least
/// a matrix. For targets that take contributed operators, and after quantization: finders of layers and of attention know MatMul only.
/// </remarks>
public sealed class FuseMatMulTranspose : RewriteRule
{
    private readonly ValuePattern _a = Any();
    private readonly ValuePattern _b = Any();
    private readonly NodePattern _transpose;
    private readonly NodePattern _product;

    public FuseMatMulTranspose()
    {
        _transpose = Transpose(_b).Shareable();
        _product = MatMul(_a, _transpose);
    }

    protected override ValuePattern Pattern => _product;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        if (match[_a].ElementType != ElementType.Float || match[_a].Shape is not { Rank: >= 2 })
            return match.Reject("the left operand is no matrix of type float");
        if (match.Node(_transpose).Permutation() is not { } permutation || !SwapsLastTwo(permutation))
            return match.Reject("other axes than the last two are moved");
        return graph.Op("FusedMatMul", [match[_a], match[_b]], [NodeAttribute.Of("transB", 1L)], OperatorDomain.Microsoft);
    }

    private static bool SwapsLastTwo(long[] permutation) =>
        permutation.Length >= 2 && permutation[^1] == permutation.Length - 2 && permutation[^2] == permutation.Length - 1
        && permutation[..^2].Select((from, to) => from == to).All(stays => stays);
}
