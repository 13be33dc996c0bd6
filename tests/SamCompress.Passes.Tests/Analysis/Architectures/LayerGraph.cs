using SamCompress.IR;
using SamCompress.IR.Analysis;

namespace SamCompress.Passes.Tests.Analysis.Architectures;

/// <summary>Builds a graph out of layers whose weights have a shape and no data: reading one fails, so nothing that is measured on it does.</summary>
internal sealed class LayerGraph
{
    private readonly Model _model = new(10, [new OpsetImport("", 20)]);
    private readonly Graph _graph;

    public LayerGraph() => _graph = _model.Graph;

    public Value Input(params long[] shape) => _graph.AddInput("image", ElementType.Float, Shape.Of(shape));

    public Value Weight(params long[] shape) => _graph.AddInitializer(_graph.FreshName("weight"), Tensor.Lazy(ElementType.Float, shape, _ => throw new NotSupportedException("a weight is read")));

    /// <summary>The finished model, with shapes.</summary>
    public Model Finish(Value output)
    {
        _graph.AddOutput(output);
        ShapeInference.Infer(_model);
        return _model;
    }

    public Value Add(string opType, IReadOnlyList<Value?> inputs, params NodeAttribute[] attributes)
    {
        Node node = _graph.Append(opType, inputs, [_graph.FreshName(opType)], attributes);
        ShapeInference.Infer(_model, node);
        return node.Output;
    }

    public Value[] Split(Value x, int parts, long axis)
    {
        Node node = _graph.Append("Split", [x], [.. Enumerable.Range(0, parts).Select(_ => _graph.FreshName("part"))], [NodeAttribute.Of("axis", axis), NodeAttribute.Of("num_outputs", parts)]);
        ShapeInference.Infer(_model, node);
        return [.. node.Outputs.Select(o => o!)];
    }

    public Value Constant(params long[] elements) => _graph.AddInitializer(_graph.FreshName("constant"), Tensor.Vector(elements));

    public Value Reshape(Value x, params long[] shape) => Add("Reshape", [x, Constant(shape)]);

    public Value Transpose(Value x, params long[] permutation) => Add("Transpose", [x], NodeAttribute.Of("perm", permutation));

    public Value Gelu(Value x) => Add("Gelu", [x]);

    public Value Linear(Value x, long width) => Add("Add", [Add("MatMul", [x, Weight(Last(x), width)]), Weight(width)]);

    public Value LayerNorm(Value x) => Add("LayerNormalization", [x, Weight(Last(x)), Weight(Last(x))]);

    /// <summary>Layer normalization over the channels of [N,C,H,W].</summary>
    public Value ChannelNorm(Value x) => Transpose(LayerNorm(Transpose(x, 0, 2, 3, 1)), 0, 3, 1, 2);

    public Value Conv(Value x, long width, long kernel, long stride = 1, long groups = 1, bool bias = false)
    {
        long pad = stride == kernel ? 0 : kernel / 2;
        return Add(
            "Conv",
            bias ? [x, Weight(width, x.Shape![1].Value!.Value / groups, kernel, kernel), Weight(width)] : [x, Weight(width, x.Shape![1].Value!.Value / groups, kernel, kernel)],
            NodeAttribute.Of("strides", [stride, stride]),
            NodeAttribute.Of("pads", [pad, pad, pad, pad]),
            NodeAttribute.Of("group", groups));
    }

    /// <summary>Weight and bias are trained, mean and variance are not.</summary>
    public Value BatchNorm(Value x) => Add("BatchNormalization", [x, .. Enumerable.Range(0, 4).Select(_ => Weight(x.Shape![1].Value!.Value))]);

    /// <summary>Zeros behind the end of the axes 1 and 2, or what takes them away.</summary>
    public Value Resize2D(Value x, long side)
    {
        long now = x.Shape![1].Value!.Value;
        return now == side ? x
            : now < side ? Add("Pad", [x, Constant(0, 0, 0, 0, 0, side - now, side - now, 0)])
            : Add("Slice", [x, Constant(0, 0), Constant(side, side), Constant(1, 2)]);
    }

    private static long Last(Value x) => x.Shape![x.Shape.Rank - 1].Value!.Value;
}
