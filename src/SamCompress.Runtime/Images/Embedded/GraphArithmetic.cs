using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Runtime.Images.Embedded;

/// <summary>Integer and logical expressions as nodes. Conditions are bool, numbers int64; both [1] unless said otherwise.</summary>
internal static class GraphArithmetic
{
    public static Value Equal(this GraphBuilder graph, Value a, Value b) => graph.Op("Equal", [a, b]);

    public static Value Equal(this GraphBuilder graph, Value a, long b) => graph.Equal(a, graph.Vector(b));

    public static Value And(this GraphBuilder graph, Value a, Value b) => graph.Op("And", [a, b]);

    public static Value Or(this GraphBuilder graph, Value a, Value b) => graph.Op("Or", [a, b]);

    public static Value Not(this GraphBuilder graph, Value a) => graph.Op("Not", [a]);

    public static Value AtLeast(this GraphBuilder graph, Value a, Value b) => graph.Op("GreaterOrEqual", [a, b]);

    /// <summary>Whether a lies in a range, its ends included.</summary>
    public static Value Between(this GraphBuilder graph, Value a, long least, long greatest) =>
        graph.And(graph.AtLeast(a, graph.Vector(least)), graph.AtLeast(graph.Vector(greatest), a));

    public static Value Where(this GraphBuilder graph, Value condition, Value yes, Value no) => graph.Op("Where", [condition, yes, no]);

    /// <summary>The smaller of two. Not Min: of the int64 4278190129 and 124 that of ONNX Runtime 1.29 gave the first.</summary>
    public static Value Least(this GraphBuilder graph, Value a, Value b) => graph.Where(graph.AtLeast(a, b), b, a);

    /// <summary>The sum along the last axis, which stays with length 1.</summary>
    public static Value Sum(this GraphBuilder graph, Value x) => graph.Op("ReduceSum", [x, graph.Vector(-1)], [NodeAttribute.Of("keepdims", 1L)]);

    /// <summary>The place of the first true element of a vector, of which one must be true.</summary>
    public static Value FirstTrue(this GraphBuilder graph, Value conditions) =>
        graph.Op("ArgMax", [graph.Cast(conditions, ElementType.Int32)], [NodeAttribute.Of("axis", 0L), NodeAttribute.Of("keepdims", 1L)]);

    /// <summary>[1] to a scalar, as control flow wants it.</summary>
    public static Value ToScalar(this GraphBuilder graph, Value x) => graph.Op("Squeeze", [x]);

    /// <summary>A constant of bytes.</summary>
    public static Value Bytes(this GraphBuilder graph, params ReadOnlySpan<byte> bytes) => graph.Constant(Tensor.Of(ElementType.UInt8, bytes, [bytes.Length]));

    /// <summary>One of two values, of which only that one is computed.</summary>
    /// <param name="condition">bool [1].</param>
    /// <param name="then">Writes the first into a branch.</param>
    public static Value Either(this GraphBuilder graph, Value condition, Func<GraphBuilder, Value> then, Func<GraphBuilder, Value> otherwise)
    {
        Graph yes = Branch("yes", then, out Value result), no = Branch("no", otherwise, out _);
        Value either = graph.Op("If", [graph.ToScalar(condition)], [NodeAttribute.Of("then_branch", yes), NodeAttribute.Of("else_branch", no)]);
        either.ElementType = result.ElementType;
        return either;

        Graph Branch(string name, Func<GraphBuilder, Value> write, out Value result)
        {
            var branch = new Graph(name, graph.Graph);
            result = write(new GraphBuilder(graph.Model, name, branch));
            branch.AddOutput(result);
            return branch;
        }
    }
}
