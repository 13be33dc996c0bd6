using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Differentiation;

/// <summary>What a rule sees of one node while its gradient is built, and the builder that it builds with.</summary>
public sealed class GradientScope
{
    private readonly IReadOnlyList<Value?> _gradients;
    private readonly Func<Value, bool> _isWanted;
    private readonly Func<Value, Value> _activation;
    private readonly Action<Value, Value> _give;

    /// <param name="gradients">Of the outputs; null where the loss does not depend on one.</param>
    /// <param name="isWanted">Whether the gradient of an input is asked for.</param>
    /// <param name="activation">What to read in place of a value of the forward graph: itself, or the copy that is computed again.</param>
    /// <param name="give">Takes the gradient of an input.</param>
    internal GradientScope(Node node, GraphBuilder graph, IReadOnlyList<Value?> gradients, Func<Value, bool> isWanted, Func<Value, Value> activation, Action<Value, Value> give)
    {
        Node = node;
        Graph = graph;
        _gradients = gradients;
        _isWanted = isWanted;
        _activation = activation;
        _give = give;
    }

    /// <summary>The node of the forward graph: for attributes and shapes. Its values are read through <see cref="Input"/> and <see cref="Output"/>.</summary>
    public Node Node { get; }

    public GraphBuilder Graph { get; }

    /// <summary>The gradient of the first output, in its shape.</summary>
    /// <exception cref="InvariantException">The loss depends on another output only.</exception>
    public Value OutputGradient => OutputGradientOf(0) ?? throw new InvariantException($"{Node}: the loss does not depend on its first output");

    /// <summary>The gradient of an output in its shape, or null where the loss does not depend on it.</summary>
    public Value? OutputGradientOf(int output) => _gradients[output];

    /// <summary>Whether anybody asks for the gradient of an input.</summary>
    public bool Wants(int input) => Node.Input(input) is { } value && _isWanted(value);

    /// <summary>An input as the backward graph may read it.</summary>
    public Value Input(int index) => _activation(Node.Input(index) ?? throw new InvariantException($"{Node} has no input {index}"));

    /// <summary>An output as the backward graph may read it.</summary>
    public Value Output(int index = 0) => _activation(Node.Outputs[index] ?? throw new InvariantException($"{Node} has no output {index}"));

    /// <summary>The static shape of an input.</summary>
    /// <exception cref="SamCompressException">Unsupported: a dimension is not known.</exception>
    public long[] ShapeOf(int input) => Static(Node.Input(input)!);

    /// <summary>The static shape of an output.</summary>
    /// <inheritdoc cref="ShapeOf" path="/exception"/>
    public long[] OutputShape(int output = 0) => Static(Node.Outputs[output]!);

    /// <summary>Gives the gradient of an input. Axes along which the input was broadcast are summed up; several gradients of one value are added.</summary>
    public void Give(int input, Value gradient)
    {
        if (Wants(input))
            _give(Node.Input(input)!, SumTo(gradient, ShapeOf(input)));
    }

    /// <summary>Sums a value along the axes that broadcasting added to or stretched in a shape.</summary>
    /// <param name="value">Of a shape that <paramref name="shape"/> broadcasts to.</param>
    public Value SumTo(Value value, long[] shape)
    {
        long[] from = Static(value);
        if (from.AsSpan().SequenceEqual(shape))
            return value;
        int added = from.Length - shape.Length;
        long[] axes = [.. Enumerable.Range(0, from.Length).Where(a => a < added || (shape[a - added] == 1 && from[a] != 1)).Select(a => (long)a)];
        Value sum = axes.Length == 0 ? value : Graph.Op("ReduceSum", [value, Graph.Vector(axes)], [NodeAttribute.Of("keepdims", added == 0 ? 1L : 0L)]);
        return added == 0 || Static(sum).AsSpan().SequenceEqual(shape) ? sum : Graph.Reshape(sum, shape);
    }

    /// <summary>A constant of the element type of another value.</summary>
    public Value Scalar(double value, Value like)
    {
        ArgumentNullException.ThrowIfNull(like);
        return Graph.Constant(like.ElementType == ElementType.Double ? Tensor.Of(ElementType.Double, new ReadOnlySpan<double>(in value), []) : Tensor.Scalar((float)value));
    }

    /// <inheritdoc cref="GraphBuilder.Reduce"/>
    public Value Reduce(string opType, Value value, IReadOnlyList<long> axes) => Graph.Reduce(opType, value, axes);

    /// <summary>Whether an input comes from a Transpose of its last two axes, so that <see cref="Transposed"/> costs nothing.</summary>
    public bool IsTransposed(int input) => Node.Input(input)?.Producer is { } producer && producer.Is("Transpose")
        && producer.GetInts("perm") is { } permutation && permutation.SequenceEqual(LastTwo(ShapeOf(input).Length));

    /// <summary>An input with its last two axes exchanged.</summary>
    public Value Transposed(int input) => IsTransposed(input) ? _activation(Node.Input(input)!.Producer!.Input(0)!) : Transpose(Input(input));

    /// <summary>Exchanges the last two axes of a value.</summary>
    public Value Transpose(Value value) => Graph.Transpose(value, [.. LastTwo(Static(value).Length)]);

    /// <summary>The refusal of a form of the operator.</summary>
    public SamCompressException Refuse(string why) =>
        new(FailureKind.Unsupported, $"no gradient of {Node}: {why}") { Location = Node.Name };

    private static IEnumerable<long> LastTwo(int rank) => [.. Enumerable.Range(0, rank - 2).Select(a => (long)a), rank - 1, rank - 2];

    private long[] Static(Value value) => value.Shape?.ToStatic() ?? throw new SamCompressException(
        FailureKind.Unsupported, $"no gradient of {Node}: the shape of {value} is not known", "fix the shapes of the inputs (--input-shape NAME=...).");
}
