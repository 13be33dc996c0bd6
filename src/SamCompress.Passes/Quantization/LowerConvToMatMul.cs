using System.Runtime.InteropServices;
using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Quantization;

/// <summary>
/// Conv whose kernels do not overlap, between a map and rows of channels => MatMul over patches:
/// Transpose(Conv(x, W) + b, NHWC) => MatMul(patches of x, W) + b, and the same for a 1x1 Conv behind Transpose(NCHW).
/// The patch embedding and the first convolution of the neck of SAM's encoder are such.
/// </summary>
/// <remarks>
/// Exact up to rounding. Made before quantization: an integer MatMul gives float, while an integer Conv rounds its output to one scale
/// for all channels, which is the biggest error of a quantized encoder. Only where a Transpose beside the Conv goes away in exchange for the new one.
/// </remarks>
/// <param name="pointwiseOnly">Leaves kernels larger than 1x1 alone, whose patches would have to be gathered: float convolutions are as fast on them.</param>
public sealed class LowerConvToMatMul(bool pointwiseOnly = false) : RewriteRule
{
    private static readonly long[] ToChannelsLast = [0, 2, 3, 1];
    private static readonly long[] ToChannelsFirst = [0, 3, 1, 2];

    private readonly ValuePattern _x = Any();
    private readonly ValuePattern _weight = Constant();
    private NodePattern? _conv;

    protected override ValuePattern Pattern => _conv = Op("Conv", _x, _weight).MoreInputs();

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        Node conv = match.Node(_conv!);
        Value x = match[_x];
        Tensor weight = match[_weight].Constant!;
        if (weight.Rank != 4 || weight.ElementType != ElementType.Float || conv.GetInt("group", 1) != 1)
            return match.Reject("no two-dimensional float convolution of one group");
        (long outputs, long inputs, long height, long width) = (weight.Dimensions[0], weight.Dimensions[1], weight.Dimensions[2], weight.Dimensions[3]);
        if (!(conv.GetInts("strides") ?? [1, 1]).SequenceEqual([height, width]) || (conv.GetInts("dilations") ?? [1, 1]).Any(d => d != 1))
            return match.Reject("its kernels overlap or leave gaps");
        if ((conv.GetInts("pads") ?? []).Any(p => p != 0) || conv.GetString("auto_pad", "NOTSET") is not ("NOTSET" or "VALID"))
            return match.Reject("it pads its input");
        Value? bias = conv.Input(2);
        if (bias is not null && bias.Constant is null)
            return match.Reject("its bias is not constant");
        if (x.Shape?.ToStatic() is not [long batch, _, long rows, long columns] || rows % height != 0 || columns % width != 0)
            return match.Reject("the size of its input is not known, or no multiple of its kernel");
        bool pointwise = height == 1 && width == 1;
        if (pointwiseOnly && !pointwise)
            return match.Reject("its kernel is larger than 1x1");
        if (!(pointwise && IsTranspose(x.Producer, ToChannelsFirst)) && !IsFollowedByTranspose(match.Root))
            return match.Reject("no Transpose beside it would go away");

        Value patches = pointwise
            ? graph.Transpose(x, ToChannelsLast)
            : graph.Reshape(
                graph.Transpose(graph.Reshape(x, batch, inputs, rows / height, height, columns / width, width), 0, 2, 4, 1, 3, 5),
                batch,
                rows / height,
                columns / width,
                inputs * height * width);
        Value result = graph.MatMul(patches, graph.Constant(Matrix(weight, outputs), match[_weight].Name + "_matrix"));
        if (conv.Name.Length > 0)
            result.Producer!.Name = conv.Name + "/MatMul";
        if (bias is not null)
            result = graph.Add(result, bias);
        return graph.Transpose(result, ToChannelsFirst);
    }

    /// <summary>[outputs, inputs, height, width] as [inputs * height * width, outputs].</summary>
    private static Tensor Matrix(Tensor weight, long outputs)
    {
        int columns = checked((int)outputs), rows = checked((int)(weight.Count / outputs));
        return Tensor.Lazy(ElementType.Float, [rows, columns], bytes =>
        {
            using TensorLease lease = weight.Open();
            WeightQuantizer.Transpose(lease.As<float>(), columns, rows, MemoryMarshal.Cast<byte, float>(bytes));
        });
    }

    private static bool IsTranspose(Node? node, long[] permutation) => node is not null && node.Is("Transpose") && node.Permutation() is { } order && order.SequenceEqual(permutation);

    private static bool IsFollowedByTranspose(Value value) => value.Uses.Count == 1 && !value.IsGraphOutput && IsTranspose(value.Uses[0].Node, ToChannelsLast);
}
