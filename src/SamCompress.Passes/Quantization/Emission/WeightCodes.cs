using System.Runtime.InteropServices;
using SamCompress.IR;

namespace SamCompress.Passes.Quantization.Emission;

/// <summary>The integers of a weight in the layouts of the operators. All are computed when they are written, so that no copy of a weight stays in memory.</summary>
internal static class WeightCodes
{
    /// <summary>The integer that stands for zero in the unsigned forms of a weight.</summary>
    public const int UnsignedZero = 128, NibbleZero = 8;

    /// <summary>Signed bytes in the element order of the stored weight, or of its transposition.</summary>
    public static Tensor Signed(QuantizableLayer layer, LayerPlan plan, bool transpose)
    {
        if (plan is { WeightCodes: null, WeightBlock: 0 })
            return WeightQuantizer.Lazy(layer.Weight, layer.WeightAxis, plan.WeightScales, plan.WeightHighest, transpose);
        if (!transpose)
            return Tensor.Lazy(ElementType.Int8, layer.Weight.Dimensions.AsSpan(), bytes => Of(layer, plan).CopyTo(MemoryMarshal.Cast<byte, sbyte>(bytes)));
        int rows = checked((int)layer.Weight.Dimensions[0]), columns = checked((int)layer.Weight.Dimensions[1]);
        return Tensor.Lazy(
            ElementType.Int8, [columns, rows], bytes => WeightQuantizer.Transpose<sbyte>(Of(layer, plan), rows, columns, MemoryMarshal.Cast<byte, sbyte>(bytes)));
    }

    /// <summary>Bytes whose zero is 128, in the element order of the stored weight: what ConvInteger multiplies fast.</summary>
    public static Tensor Unsigned(QuantizableLayer layer, LayerPlan plan) => Tensor.Lazy(ElementType.UInt8, layer.Weight.Dimensions.AsSpan(), bytes =>
    {
        sbyte[] codes = Of(layer, plan);
        for (int i = 0; i < codes.Length; i++)
            bytes[i] = (byte)(codes[i] + UnsignedZero);
    });

    /// <summary>The weight [M, C, rows, columns] of a Conv of one group as a matrix [rows * columns * C, M] of signed bytes.</summary>
    public static Tensor Patches(QuantizableLayer layer, LayerPlan plan)
    {
        int outputs = layer.OutputChannels, inputs = layer.InputChannels, positions = checked((int)(layer.Weight.Count / outputs / inputs));
        return Tensor.Lazy(ElementType.Int8, [(long)positions * inputs, outputs], bytes =>
        {
            Span<sbyte> result = MemoryMarshal.Cast<byte, sbyte>(bytes);
            sbyte[] codes = Of(layer, plan);
            for (int m = 0, i = 0; m < outputs; m++)
            {
                for (int c = 0; c < inputs; c++)
                {
                    for (int p = 0; p < positions; p++, i++)
                        result[(((p * inputs) + c) * outputs) + m] = codes[i];
                }
            }
        });
    }

    /// <summary>The weight of a Linear as MatMulNBits reads it: [N, blocks, block / 2], two inputs a byte, the first in the low bits, 8 for zero; the last block is filled with zeros.</summary>
    public static Tensor Nibbles(QuantizableLayer layer, LayerPlan plan)
    {
        int inputs = layer.InputChannels, outputs = layer.OutputChannels, block = plan.WeightBlock, blocks = BlocksOf(layer, plan);
        return Tensor.Lazy(ElementType.UInt8, [outputs, blocks, block / 2], bytes =>
        {
            sbyte[] codes = Of(layer, plan);
            bytes.Fill(NibbleZero | (NibbleZero << 4));
            int rowBytes = blocks * block / 2;
            for (int k = 0; k < inputs; k++)
            {
                int shift = (k & 1) * 4;
                for (int n = 0; n < outputs; n++)
                {
                    ref byte pair = ref bytes[(n * rowBytes) + (k / 2)];
                    pair = (byte)((pair & ~(15 << shift)) | ((Code(codes, layer, k, n) + NibbleZero) << shift));
                }
            }
        });
    }

    /// <summary>The weight of a Linear as signed 4-bit numbers [K, N], two a byte, the first in the low bits.</summary>
    public static Tensor SignedNibbles(QuantizableLayer layer, LayerPlan plan)
    {
        int inputs = layer.InputChannels, outputs = layer.OutputChannels;
        return Tensor.Lazy(ElementType.Int4, [inputs, outputs], bytes =>
        {
            sbyte[] codes = Of(layer, plan);
            bytes.Clear();
            for (int k = 0, i = 0; k < inputs; k++)
            {
                for (int n = 0; n < outputs; n++, i++)
                    bytes[i / 2] |= (byte)((Code(codes, layer, k, n) & 15) << (i & 1) * 4);
            }
        });
    }

    public static int BlocksOf(QuantizableLayer layer, LayerPlan plan) => (layer.InputChannels + plan.WeightBlock - 1) / plan.WeightBlock;

    private static sbyte Code(sbyte[] codes, QuantizableLayer layer, int input, int output) =>
        codes[layer.WeightAxis == 1 ? (input * layer.OutputChannels) + output : (output * layer.InputChannels) + input];

    /// <summary>The integers in the element order of the stored weight: those that the plan holds, or the nearest to the weight.</summary>
    private static sbyte[] Of(QuantizableLayer layer, LayerPlan plan)
    {
        if (plan.WeightCodes is { } given)
            return given.ToArray();
        using TensorLease lease = layer.Weight.Open();
        ReadOnlySpan<float> weight = lease.As<float>();
        var codes = new sbyte[weight.Length];
        if (plan.WeightBlock == 0)
        {
            WeightQuantizer.Quantize(weight, ChannelLayout.Of(layer.Weight.Dimensions, layer.WeightAxis), [.. plan.WeightScales], plan.WeightHighest, codes);
            return codes;
        }

        float[] scales = [.. plan.WeightScales];
        int blocks = BlocksOf(layer, plan), columns = checked((int)layer.Weight.Dimensions[1]);
        for (int i = 0; i < codes.Length; i++)
        {
            (int row, int column) = Math.DivRem(i, columns);
            (int input, int output) = layer.WeightAxis == 1 ? (row, column) : (column, row);
            float rounded = MathF.Round(weight[i] / scales[(output * blocks) + (input / plan.WeightBlock)]);
            codes[i] = (sbyte)Math.Clamp(rounded, -plan.WeightHighest, plan.WeightHighest);
        }

        return codes;
    }
}
