using SamCompress.IR;

namespace SamCompress.Passes.Quantization.Emission;

/// <summary>
/// A Conv of one group as a multiplication of patches: the quantized map, channels last, padded with what stands for zero, cut once for each position of the kernel
/// and laid side by side. That moves bytes, not floats.
/// </summary>
internal sealed class ConvPatches
{
    private readonly long _inputs;
    private readonly long[] _size, _kernel, _strides, _dilations, _pads;

    private ConvPatches(long[] size, long inputs, long[] kernel, long[] strides, long[] dilations, long[] pads)
    {
        (_size, _inputs, _kernel, _strides, _dilations, _pads) = (size, inputs, kernel, strides, dilations, pads);
    }

    /// <summary>Null when the convolution has groups, its map is not two-dimensional and of a known size, or it pads by itself.</summary>
    public static ConvPatches? Of(QuantizableLayer layer)
    {
        Node node = layer.Node;
        if (layer.Groups != 1 || node.GetString("auto_pad", "NOTSET") != "NOTSET" || node.Inputs[0]!.Shape?.ToStatic() is not [_, _, long height, long width])
            return null;
        long[] pads = [.. node.GetInts("pads") ?? [0, 0, 0, 0]];
        return Array.TrueForAll(pads, p => p >= 0)
            ? new ConvPatches(
                [height, width], layer.InputChannels, [.. layer.Weight.Dimensions[2..]], [.. node.GetInts("strides") ?? [1, 1]], [.. node.GetInts("dilations") ?? [1, 1]], pads)
            : null;
    }

    /// <returns>Bytes [batch, output height, output width, kernel positions * channels].</returns>
    public Value Emit(GraphEditor editor, Node user, QuantizedValue x)
    {
        string stem = x.Integers.Name;
        Value map = Insert("Transpose", [x.Integers], stem + "_channels_last", NodeAttribute.Of("perm", [0L, 2, 3, 1]));
        if (Array.Exists(_pads, p => p > 0))
            map = Insert("Pad", [map, editor.Constant(stem + "_pads", Tensor.Vector(0, _pads[0], _pads[1], 0, 0, _pads[2], _pads[3], 0)), x.ZeroPoint], stem + "_padded");
        long[] output = [OutputSize(0), OutputSize(1)];
        if (_kernel is not [1, 1] || _strides is not [1, 1])
        {
            Value axes = editor.Constant(stem + "_slice_axes", Tensor.Vector(1, 2)), steps = editor.Constant(stem + "_slice_steps", Tensor.Vector(_strides));
            Value[] slices = [.. from y in Enumerable.Range(0, (int)_kernel[0]) from x2 in Enumerable.Range(0, (int)_kernel[1]) select Slice(y * _dilations[0], x2 * _dilations[1])];
            map = slices.Length == 1 ? slices[0] : Insert("Concat", slices, stem + "_patches", NodeAttribute.Of("axis", 3L));

            Value Slice(long top, long left)
            {
                Value starts = editor.Constant(stem + "_slice_starts", Tensor.Vector(top, left));
                Value ends = editor.Constant(stem + "_slice_ends", Tensor.Vector(top + ((output[0] - 1) * _strides[0]) + 1, left + ((output[1] - 1) * _strides[1]) + 1));
                return Insert("Slice", [map, starts, ends, axes, steps], stem + "_slice");
            }
        }

        map.Shape = x.Integers.Shape is { } shape ? new Shape(shape[0], output[0], output[1], _inputs * _kernel[0] * _kernel[1]) : null;
        return map;

        Value Insert(string opType, IReadOnlyList<Value?> inputs, string name, params IReadOnlyList<NodeAttribute> attributes)
        {
            Value result = editor.Insert(user, opType, inputs, name, "", attributes);
            result.ElementType = x.Integers.ElementType;
            return result;
        }
    }

    private long OutputSize(int axis) => ((_size[axis] + _pads[axis] + _pads[axis + 2] - (_dilations[axis] * (_kernel[axis] - 1)) - 1) / _strides[axis]) + 1;
}
