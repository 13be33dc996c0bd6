using SamCompress.IR;

namespace SamCompress.Passes.Differentiation;

/// <summary>
/// How the gradient of an operator's outputs becomes that of its inputs. Stateless. One small file per operator, with the formula on top:
/// y = f(x), and dx, the gradient of the loss by x, from dy, the gradient by y.
/// </summary>
public abstract class GradientRule
{
    /// <param name="opTypes">The operators that the rule is for.</param>
    protected GradientRule(params IReadOnlyList<string> opTypes) => OpTypes = opTypes;

    public IReadOnlyList<string> OpTypes { get; }

    /// <summary>The domain of these operators.</summary>
    public virtual string Domain => OperatorDomain.Onnx;

    /// <summary>
    /// Builds the gradients that are wanted (<see cref="GradientScope.Wants"/>) and gives each one back (<see cref="GradientScope.Give"/>), in the
    /// shape of the input or in one that broadcasting made of it. An input to which nothing is given has gradient zero.
    /// </summary>
    /// <exception cref="SamCompressException">Unsupported: an attribute or a form of the operator has no gradient here.</exception>
    public abstract void Backward(GradientScope scope);
}
