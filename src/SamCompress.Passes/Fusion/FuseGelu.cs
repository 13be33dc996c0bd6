using SamCompress.IR;
using SamCompress.Passes.Rewriting;
using SamCompress.Passes.Targets;

namespace SamCompress.Passes.Fusion;

/// <summary>
/// Gelu written in primitive operators => one node.
/// <code>
/// x * (1 + Erf(x / sqrt 2)) * 0.5                              =>  Gelu(x), below opset 20 com.microsoft Gelu(x)
/// x * (1 + Tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) * 0.5      =>  Gelu(x) by tanh, below opset 20 com.microsoft FastGelu(x)
/// </code>
/// </summary>
/// <remarks>
/// Exact up to rounding. The three factors in every association and order; a product for the quotient; Pow or two Mul for the cube.
/// Guards: a floating-point type; below opset 20 a target that takes contributed operators.
/// </remarks>
public sealed class FuseGelu : RewriteRule
{
    private const long GeluOpset = 20;

    private readonly bool _contributedOperators;
    private readonly ValuePattern _x = Any();
    private readonly NodePattern _tanh;
    private readonly ValuePattern _gelu;

    /// <param name="target">What shall run the result.</param>
    public FuseGelu(TargetDescription target)
    {
        ArgumentNullException.ThrowIfNull(target);
        _contributedOperators = target.ContributedOperators;
        ValuePattern half = Scalar(0.5);
        ValuePattern cube = OneOf(Pow(_x, Scalar(3)), Mul(_x, Mul(_x, _x)));
        _tanh = Tanh(Mul(Add(_x, Mul(cube, Scalar(0.044715))), Scalar(Math.Sqrt(2 / Math.PI))));
        NodePattern erf = Erf(OneOf(Div(_x, Scalar(Math.Sqrt(2))), Mul(_x, Scalar(1 / Math.Sqrt(2)))));
        NodePattern gate = Add(OneOf(erf, _tanh), Scalar(1));
        _gelu = OneOf(Mul(Mul(_x, gate), half), Mul(_x, Mul(gate, half)), Mul(Mul(_x, half), gate));
    }

    protected override ValuePattern Pattern => _gelu;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        Value x = match[_x];
        if (!x.ElementType.IsFloatingPoint())
            return match.Reject("is not known to be floating point");
        if (graph.Opset >= GeluOpset)
            return graph.Gelu(x, match.Has(_tanh) ? "tanh" : "none");
        return _contributedOperators
            ? graph.Op(match.Has(_tanh) ? "FastGelu" : "Gelu", [x], domain: OperatorDomain.Microsoft)
            : match.Reject($"opset {graph.Opset} has no Gelu, opset {GeluOpset} has, and the target takes standard operators only");
    }
}
