using SamCompress.IR;

namespace SamCompress.Passes.Rewriting;

/// <summary>
/// A local change: where the pattern is found and no guard refuses, one value takes the place of another.
/// Stateless; a rule never edits the graph itself, it builds new nodes with the <see cref="GraphBuilder"/> it is given.
/// </summary>
public abstract class RewriteRule
{
    private ValuePattern? _pattern;

    /// <summary>The words of the type's name in kebab case.</summary>
    public string Name => Pass.NameOf(GetType());

    /// <summary>What is replaced. Asked for once.</summary>
    protected abstract ValuePattern Pattern { get; }

    internal ValuePattern CachedPattern => _pattern ??= Pattern;

    /// <summary>Builds the replacement of <see cref="Match.Root"/>.</summary>
    /// <returns>The value that takes its place, of the same element type and shape; or null through <see cref="Match.Reject"/>.</returns>
    protected abstract Value? Rewrite(Match match, GraphBuilder graph);

    internal Value? RewriteMatch(Match match, GraphBuilder graph) => Rewrite(match, graph);

    /// <summary>Any value.</summary>
    protected static ValuePattern Any() => new AnyPattern();

    /// <summary>A value that passes a test which is part of the shape of the pattern; what deserves a reason belongs into a guard.</summary>
    protected static ValuePattern Any(Func<Value, bool> test) => new AnyPattern(test);

    /// <summary>An initializer that no caller can override.</summary>
    protected static ValuePattern Constant() => new AnyPattern(v => v.Constant is not null);

    /// <summary>A constant with one element of that value, in its own precision: 0.1 matches the float nearest to it.</summary>
    protected static ValuePattern Scalar(double value) =>
        new AnyPattern(v => v.Constant is { Count: 1 } tensor && tensor.ScalarOrNull() is { } scalar && (scalar == value || (tensor.ElementType == ElementType.Float && (float)scalar == (float)value)));

    protected static ValuePattern OneOf(params ValuePattern[] alternatives) => new AlternativesPattern(alternatives);

    /// <summary>The output of a standard operator with exactly these inputs; either order for commutative ones.</summary>
    protected static NodePattern Op(string opType, params ValuePattern[] inputs) => new(OperatorDomain.Onnx, opType, inputs);

    /// <summary>The output of an operator of another domain.</summary>
    protected static NodePattern OpIn(string domain, string opType, params ValuePattern[] inputs) => new(domain, opType, inputs);

    protected static NodePattern Add(ValuePattern a, ValuePattern b) => Op("Add", a, b);

    protected static NodePattern Sub(ValuePattern a, ValuePattern b) => Op("Sub", a, b);

    protected static NodePattern Mul(ValuePattern a, ValuePattern b) => Op("Mul", a, b);

    protected static NodePattern Div(ValuePattern a, ValuePattern b) => Op("Div", a, b);

    protected static NodePattern Pow(ValuePattern a, ValuePattern b) => Op("Pow", a, b);

    protected static NodePattern Sqrt(ValuePattern a) => Op("Sqrt", a);

    protected static NodePattern Erf(ValuePattern a) => Op("Erf", a);

    protected static NodePattern Tanh(ValuePattern a) => Op("Tanh", a);

    protected static NodePattern MatMul(ValuePattern a, ValuePattern b) => Op("MatMul", a, b);

    protected static NodePattern Softmax(ValuePattern a) => Op("Softmax", a);

    protected static NodePattern Transpose(ValuePattern a) => Op("Transpose", a);

    protected static NodePattern Reshape(ValuePattern a, ValuePattern shape) => Op("Reshape", a, shape);
}
