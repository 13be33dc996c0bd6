using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Evaluation;

public sealed class QuantizerProofTests
{
    /// <summary>Activations from -2 to 2, of which the values to prove are made.</summary>
    private static readonly float[] Spread = [.. Enumerable.Range(0, 32).Select(i => (i / 8f) - 2)];

    public static TheoryData<string, string, int, int> Forms { get; } = new()
    {
        {
            "Q and DQ around a MatMul and its bias",
            """
            g (float[1,8,4] x) => (float[1,8,2] y)
            <float s = {0.02}, uint8 z = {100}, int8[4,2] w = {1,-2,3,4,-5,6,70,-80}, float[2] ws = {0.1, 0.2}, int8[2] wz = {0, 0}, float[1,1,2] b = {1, 2}>
            { q = QuantizeLinear (x, s, z) d = DequantizeLinear (q, s, z) dw = DequantizeLinear <axis = 1> (w, ws, wz) p = MatMul (d, dw) y = Add (p, b) }
            """,
            1, 1
        },
        {
            "one quantizer for three readers, one of which multiplies nothing",
            """
            g (float[1,8,4] x) => (float[1,8,2] y, float[1,8,2] v, float[1,8,4] r)
            <float s = {0.02}, uint8 z = {100}, int8[4,2] w = {1,-2,3,4,-5,6,70,-80}, float[2] ws = {0.1, 0.2}, int8[2] wz = {0, 0}>
            { q = QuantizeLinear (x, s, z) d = DequantizeLinear (q, s, z) dw = DequantizeLinear <axis = 1> (w, ws, wz) y = MatMul (d, dw) v = MatMul (d, dw) r = Relu (d) }
            """,
            1, 1
        },
        {
            "MatMulIntegerToFloat as it is stored",
            """
            g (float[1,8,4] x) => (float[1,8,2] y)
            <float s = {0.02}, uint8 z = {100}, int8[4,2] w = {1,-2,3,4,-5,6,70,-80}, float[2] ws = {0.1, 0.2}, int8[2] wz = {0, 0}, float[2] b = {1, 2}>
            { q = QuantizeLinear (x, s, z) y = com.microsoft.MatMulIntegerToFloat (q, w, s, ws, z, wz, b) }
            """,
            1, 1
        },
        {
            "ConvInteger, scaled behind it",
            """
            g (float[1,2,4,4] x) => (float[1,2,2,2] y)
            <float s = {0.02}, uint8 z = {100}, int8[2,2,3,3] w = {1,2,3,4,5,6,7,8,9,-1,-2,-3,-4,-5,-6,-7,-8,-9,1,3,1,3,1,3,1,3,1,9,8,7,6,5,4,3,2,1}, int8 wz = {0}, float[1,2,1,1] o = {0.01, 0.02}>
            { q = QuantizeLinear (x, s, z) i = ConvInteger <kernel_shape = [3, 3]> (q, w, z, wz) f = Cast <to = 1> (i) y = Mul (f, o) }
            """,
            1, 1
        },
        {
            "six bits by a Clip",
            """
            g (float[1,8,4] x) => (float[1,8,2] y)
            <float s = {0.1}, uint8 z = {30}, float lo = {-3}, float hi = {3.3}, int8[4,2] w = {1,-2,3,4,-5,6,30,-31}, float[2] ws = {0.1, 0.2}, int8[2] wz = {0, 0}>
            { c = Clip (x, lo, hi) q = QuantizeLinear (c, s, z) d = DequantizeLinear (q, s, z) dw = DequantizeLinear <axis = 1> (w, ws, wz) y = MatMul (d, dw) }
            """,
            1, 1
        },
        {
            "a convolution with padding between two quantizers",
            """
            g (float[1,1,4,8] x) => (float[1,2,4,8] y)
            <float s = {0.02}, uint8 z = {100}, int8[2,1,3,3] w = {1,2,3,4,5,6,7,8,9,-1,-2,-3,-4,-5,-6,-7,-8,-9}, float[2] ws = {0.1, 0.2}, int8[2] wz = {0, 0}, float t = {0.5}>
            {
                q = QuantizeLinear (x, s, z)
                d = DequantizeLinear (q, s, z)
                dw = DequantizeLinear <axis = 0> (w, ws, wz)
                c = Conv <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (d, dw)
                p = QuantizeLinear (c, t, z)
                y = DequantizeLinear (p, t, z)
            }
            """,
            2, 1
        },
        {
            "a Gemm of a transposed weight",
            """
            g (float[8,4] x) => (float[8,2] y)
            <float s = {0.02}, int8 z = {-3}, int8[2,4] w = {1,-2,3,4,-5,6,70,-80}, float[2] ws = {0.1, 0.2}, int8[2] wz = {0, 0}, float[2] b = {1, 2}>
            { q = QuantizeLinear (x, s, z) d = DequantizeLinear (q, s, z) dw = DequantizeLinear <axis = 0> (w, ws, wz) y = Gemm <transB = 1> (d, dw, b) }
            """,
            1, 1
        },
        {
            "four-bit weights in blocks, activations in floating point",
            """
            g (float[1,2,16] x) => (float[1,2,2] y)
            <uint8[2,1,8] w = {1,35,69,103,137,171,205,239,254,220,186,152,118,84,50,16}, float[2] ws = {0.1, 0.2}>
            { y = com.microsoft.MatMulNBits <K = 16, N = 2, bits = 4, block_size = 16> (x, w, ws) }
            """,
            0, 1
        },
        {
            "both operands of an attention product",
            """
            g (float[1,4,8] x) => (float[1,4,4] y)
            <float s = {0.02}, uint8 z = {100}, float t = {0.03}>
            {
                q = QuantizeLinear (x, s, z)
                d = DequantizeLinear (q, s, z)
                k = Transpose <perm = [0, 2, 1]> (x)
                r = QuantizeLinear (k, t, z)
                e = DequantizeLinear (r, t, z)
                y = MatMul (d, e)
            }
            """,
            2, 0
        },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Quantizers_act_in_every_form(string form, string text, int activations, int weights)
    {
        QuantizerProofResult result = Prove(text);

        Assert.True(result.Dead.Count == 0, $"{form}: {string.Join("; ", result.Dead)}");
        Assert.Equal((activations, activations, weights, weights), (result.Activations, result.ActingActivations, result.Weights, result.ActingWeights));
    }

    [Theory]
    [InlineData("1000", "all values seen fall on one code, 100")]
    [InlineData("0.0001", "97 % of the values seen lie beyond its range")]
    public void A_scale_that_does_not_fit_the_values_is_found(string scale, string reason)
    {
        // One of the 32 values is zero, the others are at least 0.125 from it; a scale of 0.0001 reaches from -0.01 to 0.0155.
        QuantizerProofResult result = Prove(Linear(scale, "1,-2,3,4,-5,6,70,-80"));

        Assert.Equal((1, 0, 1, 1), (result.Activations, result.ActingActivations, result.Weights, result.ActingWeights));
        Assert.Equal([new DeadQuantizer("x", reason)], result.Dead);
    }

    [Fact]
    public void A_weight_of_one_code_is_found_with_the_activation_that_it_hides()
    {
        QuantizerProofResult result = Prove(Linear("0.02", "0,0,0,0,0,0,0,0"));

        Assert.Equal(
            [new DeadQuantizer("x", "a change of a step changes nothing"), new DeadQuantizer("w", "2 of 2 channels hold a single code")],
            result.Dead);
    }

    [Fact]
    public void A_scale_that_is_computed_proves_nothing()
    {
        QuantizerProofResult result = Prove(
            """
            g (float[1,8,4] x) => (float[1,8,4] y)
            <uint8 z = {100}, float[1] h = {50}>
            { m = ReduceMax <keepdims = 0> (x) s = Div (m, h) v = Squeeze (s) q = QuantizeLinear (x, v, z) y = DequantizeLinear (q, v, z) }
            """);

        Assert.Equal("its scale is no constant number", Assert.Single(result.Dead).Reason);
    }

    /// <summary>What an optimizer leaves that takes DequantizeLinear(QuantizeLinear(x)) for x.</summary>
    [Fact]
    public void A_planned_quantizer_that_is_gone_is_found()
    {
        QuantizerProofResult result = Prove(
            """
            g (float[1,8,4] x) => (float[1,8,2] y)
            <int8[4,2] w_quantized = {1,-2,3,4,-5,6,70,-80}, float[2] ws = {0.1, 0.2}, int8[2] wz = {0, 0}>
            { dw = DequantizeLinear <axis = 1> (w_quantized, ws, wz) y = MatMul (x, dw) }
            """,
            Plan());

        Assert.Contains(new DeadQuantizer("x", "the artifact has no quantizer of it"), result.Dead);
        Assert.Equal((0, 1, 1), (result.ActingActivations, result.Weights, result.ActingWeights));
    }

    [Fact]
    public void A_layer_that_reads_past_the_quantizer_is_found()
    {
        QuantizerProofResult result = Prove(
            """
            g (float[1,8,4] x) => (float[1,8,2] y, float[1,8,4] r)
            <float s = {0.02}, uint8 z = {100}, int8[4,2] w_quantized = {1,-2,3,4,-5,6,70,-80}, float[2] ws = {0.1, 0.2}, int8[2] wz = {0, 0}>
            { q = QuantizeLinear (x, s, z) r = DequantizeLinear (q, s, z) dw = DequantizeLinear <axis = 1> (w_quantized, ws, wz) y = MatMul (x, dw) }
            """,
            Plan());

        Assert.Equal([new DeadQuantizer("x", "fc reads it as it was before its quantizer")], result.Dead);
        Assert.Equal((2, 1), (result.Activations, result.ActingActivations));
    }

    [Fact]
    public void A_planned_weight_that_is_float_is_found()
    {
        QuantizerProofResult result = Prove(
            """
            g (float[1,8,4] x) => (float[1,8,2] y)
            <float s = {0.02}, uint8 z = {100}, float[4,2] w = {1,-2,3,4,-5,6,70,-80}>
            { q = QuantizeLinear (x, s, z) d = DequantizeLinear (q, s, z) y = MatMul (d, w) }
            """,
            Plan());

        Assert.Equal([new DeadQuantizer("w", "the artifact has no quantized weight of it")], result.Dead);
    }

    /// <summary>A scale of 1000 rounds as any other; that no value needs it only values can tell.</summary>
    [Fact]
    public void Without_samples_only_the_steps_are_proven()
    {
        string text = Linear("1000", "1,-2,3,4,-5,6,70,-80");

        Assert.Empty(new QuantizerProof().Run(() => ModelText.Parse(text), plan: null, samples: null).Dead);
    }

    private static string Linear(string scale, string weight) =>
        $$"""
        g (float[1,8,4] x) => (float[1,8,2] y)
        <float s = {{{scale}}}, uint8 z = {100}, int8[4,2] w = {{{weight}}}, float[2] ws = {0.1, 0.2}, int8[2] wz = {0, 0}>
        { q = QuantizeLinear (x, s, z) d = DequantizeLinear (q, s, z) dw = DequantizeLinear <axis = 1> (w, ws, wz) y = MatMul (d, dw) }
        """;

    /// <summary>That x and w of the layer fc are quantized.</summary>
    private static QuantizationPlan Plan() => new()
    {
        Target = "test",
        Activations = [new ActivationPlan("x", ElementType.UInt8, new QuantizationGrid(0.02f, 100, 0, 255), AtProducer: false, "")],
        Layers =
        [
            new LayerPlan { Name = "fc", NodeOutput = "y", Kind = LayerKind.Linear, Execution = LayerExecution.Integer, Why = "", Input = "x", WeightName = "w", WeightScales = [0.1f, 0.2f] },
        ],
        Diagnostics = [],
    };

    private static QuantizerProofResult Prove(string text, QuantizationPlan? plan = null)
    {
        using Model model = ModelText.Parse(text);
        long[] shape = [.. model.Graph.Inputs[0].Shape!.Select(d => d.Value!.Value)];
        return new QuantizerProof().Run(() => ModelText.Parse(text), plan, [new CalibrationSample("spread", new Dictionary<string, RuntimeTensor> { ["x"] = RuntimeTensor.Of((float[])Spread.Clone(), shape) })]);
    }
}
