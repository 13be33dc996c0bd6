using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Cleanup;

/// <summary>Mul(x, 1), Div(x, 1), Pow(x, 1), Sub(x, 0), Add(x, -0) => x; for integers also Add(x, 0).</summary>
/// <remarks>
/// Exact in every bit. Adding +0 to floats stays, because it turns -0 into +0. Guard: the constant does not broadcast x to a bigger shape.
/// </remarks>
public sealed class EliminateNeutralOperand : RewriteRule
{
    private readonly ValuePattern _x = Any();
    private readonly ValuePattern _constant = Constant();

    protected override ValuePattern Pattern =>
        OneOf(Mul(_x, _constant), Div(_x, _constant), Pow(_x, _constant), Add(_x, _constant), Sub(_x, _constant));

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        Value x = match[_x];
        Tensor constant = match[_constant].Constant!;
        if (constant.Count is 0 or > 4096 || !IsNeutral(match.Root.Producer!.OpType, constant))
            return match.Reject("the constant is not neutral");
        if (x.ElementType != match.Root.ElementType || !match.Root.HasShapeOf(x))
            return match.Reject("the constant broadcasts x, or the shape is not known");
        return x;
    }

    private static bool IsNeutral(string op, Tensor constant)
    {
        switch (constant.ElementType)
        {
            case ElementType.Float:
                float[] floats = constant.ToArray<float>();
                return op switch
                {
                    "Add" => Array.TrueForAll(floats, c => c == 0 && float.IsNegative(c)),
                    "Sub" => Array.TrueForAll(floats, c => c == 0 && !float.IsNegative(c)),
                    _ => Array.TrueForAll(floats, c => c == 1),
                };
            case ElementType.Int64 or ElementType.Int32:
                long neutral = op is "Add" or "Sub" ? 0 : 1;
                return Array.TrueForAll(constant.ToInt64s(), c => c == neutral);
            default:
                return false;
        }
    }
}
