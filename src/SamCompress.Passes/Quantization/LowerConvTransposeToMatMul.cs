using System.Runtime.InteropServices;
using SamCompress.IR;
using SamCompress.Passes.Rewriting;

namespace SamCompress.Passes.Quantization;

/// <summary>
/// ConvTranspose whose kernels neither overlap nor leave gaps => one MatMul for each pixel, whose products are put side by side:
/// ConvTranspose(x, W[Cin, Cout, kh, kw]) + b => Reshape(Transpose(Reshape(MatMul(Transpose(x, NHWC), W[Cin, Cout * kh * kw]) + b))).
/// The upscaling of SAM's mask decoder is such.
/// </summary>
/// <remarks>
/// Exact up to rounding. Made before quantization: ONNX Runtime multiplies integers in a MatMul and not in a ConvTranspose, and each place of
/// the kernel gets a scale of its own.
/// </remarks>
public sealed class LowerConvTransposeToMatMul : RewriteRule
{
    private static readonly long[] ToChannelsLast = [0, 2, 3, 1];

    private readonly ValuePattern _x = Any();
    private readonly ValuePattern _weight = Constant();
    private readonly NodePattern _conv;

    public LowerConvTransposeToMatMul() => _conv = Op("ConvTranspose", _x, _weight).MoreInputs();

    protected override ValuePattern Pattern => _conv;

    protected override Value? Rewrite(Match match, GraphBuilder graph)
    {
        Node conv = match.Node(_conv);
        Value x = match[_x];
        Tensor weight = match[_weight].Constant!;
        if (weight.Rank != 4 || weight.ElementType != ElementType.Float || conv.GetInt("group", 1) != 1)
            return match.Reject("no two-dimensional float convolution of one group");
        (long inputs, long outputs, long height, long width) = (weight.Dimensions[0], weight.Dimensions[1], weight.Dimensions[2], weight.Dimensions[3]);
        if (!(conv.GetInts("strides") ?? [1, 1]).SequenceEqual([height, width]) || (conv.GetInts("dilations") ?? [1, 1]).Any(d => d != 1))
            return match.Reject("its kernels overlap or leave gaps");
        if ((conv.GetInts("pads") ?? []).Concat(conv.GetInts("output_padding") ?? []).Any(p => p != 0)
            || conv.GetInts("output_shape") is not null || conv.GetString("auto_pad", "NOTSET") is not ("NOTSET" or "VALID"))
        {
            return match.Reject("it pads or cuts its output");
        }

        Value? bias = conv.Input(2);
        if (bias is not null && bias.Constant is null)
            return match.Reject("its bias is not constant");
        if (x.Shape is not { Rank: 4 } shape || shape[2].Value is not { } rows || shape[3].Value is not { } columns)
            return match.Reject("the size of its input is not known");

        // A zero keeps the batch, whose size need not be known.
        Value result = graph.MatMul(graph.Transpose(x, ToChannelsLast), graph.Constant(Matrix(weight, inputs), match[_weight].Name + "_matrix"));
        if (conv.Name.Length > 0)
            result.Producer!.Name = conv.Name + "/MatMul";
        if (bias is not null)
            result = graph.Add(result, graph.Constant(Repeated(bias.Constant!, height * width), bias.Name + "_repeated"));
        result = graph.Transpose(graph.Reshape(result, 0, rows, columns, outputs, height, width), 0, 3, 1, 4, 2, 5);
        return graph.Reshape(result, 0, outputs, rows * height, columns * width);
    }

    /// <summary>[inputs, outputs, height, width] as [inputs, outputs * height * width]: the same elements in the same order.</summary>
    private static Tensor Matrix(Tensor weight, long inputs) => Tensor.Lazy(ElementType.Float, [inputs, weight.Count / inputs], bytes =>
    {
        using TensorLease lease = weight.Open();
        lease.Bytes.CopyTo(bytes);
    });

    /// <summary>The bias of a channel for each of its columns.</summary>
    private static Tensor Repeated(Tensor bias, long times) => Tensor.Lazy(ElementType.Float, [bias.Count * times], bytes =>
    {
        using TensorLease lease = bias.Open();
        ReadOnlySpan<float> elements = lease.As<float>();
        Span<float> repeated = MemoryMarshal.Cast<byte, float>(bytes);
        for (int i = 0; i < elements.Length; i++)
            repeated.Slice((int)(i * times), (int)times).Fill(elements[i]);
    });
}
