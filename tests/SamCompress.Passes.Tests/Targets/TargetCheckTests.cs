using SamCompress.IR;
using SamCompress.Passes.Targets;
using SamCompress.Passes.Tests.Quantization;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Targets;

public sealed class TargetCheckTests
{
    private const string Constants = """
        <float s = {0.1}, float[2] s2 = {0.1, 0.2}, uint8 z = {0}, uint8 z9 = {9}, int8 i0 = {0}, int8 i9 = {9}, int8[2] i00 = {0, 0}, int8[2] i01 = {0, 1}, uint8[2] z00 = {0, 0},
         int8[4,4] W = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7}, int8[2,2] V = {1, 2, 3, 4}, uint8[2,2] U = {1, 2, 3, 4}, int4[2,2] N = {1, 2, 3, 4}, float[1] f = {1}, uint8[2,1,16] B4 = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7}, uint8[2,1] Z4 = {7, 8}>
        """;

    [Theory]
    [InlineData("qdq", "q = QuantizeLinear (X, s, z9)\n Y = DequantizeLinear (q, s, z9)", null)]
    [InlineData("qdq", "q = QuantizeLinear (X, s)\n Y = DequantizeLinear (q, s)", null)]
    [InlineData("qdq", "q = QuantizeLinear (X, s, i9)\n Y = DequantizeLinear (q, s, i9)", "SC3204")]
    [InlineData("tensorrt", "q = QuantizeLinear (X, s, i0)\n Y = DequantizeLinear (q, s, i0)", null)]
    [InlineData("tensorrt", "q = QuantizeLinear (X, s, i9)\n Y = Relu (X)", "SC3203")]
    [InlineData("tensorrt", "q = QuantizeLinear (X, s)\n Y = Relu (X)", "SC3204")]
    [InlineData("qdq", "q = QuantizeLinear (X, s2, z00)\n Y = Relu (X)", "SC3206")]
    [InlineData("qdq", "q = QuantizeLinear (X, s, z)\n Y = DequantizeLinear <axis = 1> (q, s2, z00)", "SC3206")]
    [InlineData("channels", "q = QuantizeLinear (X, s, z)\n d = DequantizeLinear <axis = 1> (q, s2, z00)\n Y = Mul (d, s2)", null)]
    [InlineData("channels", "q = QuantizeLinear (X, s, z)\n d = DequantizeLinear <axis = 1> (q, s2, z00)\n Y = Mul (d, X)", "SC3206")]
    [InlineData("openvino", "q = QuantizeLinear (X, s, z)\n d = DequantizeLinear <axis = 1> (q, s2, z00)\n Y = Mul (d, s2)", "SC3206")]
    [InlineData("qdq", "Y = com.microsoft.MatMulIntegerToFloat (q, V, s, s2)\n q = QuantizeLinear (X, s, z)", "SC3202")]
    [InlineData("ort-cpu", "Y = com.microsoft.MatMulIntegerToFloat (q, V, s, s2)\n q = QuantizeLinear (X, s, z)", null)]
    [InlineData("ort-cpu", "Y = com.microsoft.MatMulIntegerToFloat (q, V, s, s2, z, i01)\n q = QuantizeLinear (X, s, z)", "SC3205")]
    [InlineData("ort-cpu", "Y = com.microsoft.MatMulIntegerToFloat (q, q, s, s)\n q = QuantizeLinear (X, s, z)", "SC3209")]
    [InlineData("ort-cpu", "Y = com.microsoft.MatMulNBits <K = 2, N = 2, bits = 4, block_size = 32> (X, B4, s2)", null)]
    [InlineData("ort-cpu", "Y = com.microsoft.MatMulNBits <K = 2, N = 2, bits = 4, block_size = 32> (X, B4, s2, Z4)", "SC3205")]
    [InlineData("qdq", "w = DequantizeLinear <axis = 1> (V, s2, i00)\n Y = MatMul (X, w)", null)]
    [InlineData("qdq", "w = DequantizeLinear <axis = 1> (V, s2, i01)\n Y = MatMul (X, w)", "SC3205")]
    [InlineData("qdq", "w = DequantizeLinear <axis = 1> (U, s2, z00)\n Y = MatMul (X, w)", "SC3204")]
    [InlineData("qdq", "w = DequantizeLinear (N, s)\n Y = MatMul (X, w)", null)]
    [InlineData("tensorrt", "w = DequantizeLinear (N, s)\n Y = Mul (X, w)", "SC3204")]
    [InlineData("tensorrt", "w = DequantizeLinear <axis = 1> (V, s2, i00)\n Y = MatMul (X, w)", "SC3207")]
    [InlineData("tensorrt", "w = DequantizeLinear (W, s, i0)\n y = MatMul (w, w)\n Y = Relu (X)", null)]
    [InlineData("qdq", "q = QuantizeLinear (X, s, z)\n d = DequantizeLinear (q, s, z)\n Y = MatMul (d, d)", "SC3209")]
    [InlineData("qdq", "q = QuantizeLinear (X, s, z)\n d = DequantizeLinear (q, s, z)\n Y = Softmax (d)", null)]
    [InlineData("qdq", "q = QuantizeLinear (X, s, z)\n d = DequantizeLinear (q, s, z)\n Y = Softmax (d)\n p = QuantizeLinear (Y, s, z)", "SC3208")]
    public void Each_breach_of_a_rule_is_found(string target, string nodes, string? id)
    {
        using Model model = ModelText.Parse($$"""g (float[2,2] X) => (float[2,2] Y) {{Constants}} { {{nodes}} }""");
        IReadOnlyList<Diagnostic> found = TargetCheck.Check(model, QuantizeCheck.Target(target));
        if (id is null)
            Assert.Empty(found);
        else
            Assert.Equal(id, Assert.Single(found.Select(f => f.Id).Distinct()));
    }

    [Fact]
    public void Unsigned_weight_of_an_integer_convolution_is_centred_on_128()
    {
        const string Text = """
            g (float[1,1,2,2] X) => (int32[1,1,2,2] Y)
            <float s = {0.1}, uint8 z = {0}, uint8 c = {128}, uint8[1,1,1,1] W = {200}>
            {
                q = QuantizeLinear (X, s, z)
                Y = ConvInteger (q, W, z, c)
            }
            """;
        TargetDescription target = TargetDescription.Load("ort-cpu");
        using Model model = ModelText.Parse(Text);
        Assert.Empty(TargetCheck.Check(model, target));
        using Model asymmetric = ModelText.Parse(Text.Replace("{128}", "{127}", StringComparison.Ordinal));
        Assert.Equal("SC3205", Assert.Single(TargetCheck.Check(asymmetric, target)).Id);
    }

    [Fact]
    public void Models_of_an_older_opset_and_long_attention_are_found()
    {
        TargetDescription target = TargetDescription.Load("tensorrt") with { LowestOpset = 19, AttentionMatMul = TargetDescription.Load("tensorrt").Linear };
        using Model model = ModelText.Parse("""
            g (float[1,600,4] X, float[1,4,600] K) => (float[1,600,600] Y)
            <float s = {0.1}, int8 z = {0}>
            {
                q = QuantizeLinear (X, s, z)
                a = DequantizeLinear (q, s, z)
                k = QuantizeLinear (K, s, z)
                b = DequantizeLinear (k, s, z)
                [logits] Y = MatMul (a, b)
            }
            """, opset: 17);
        Assert.Equal(
            ["opset 17: tensorrt takes models from opset 19 on", "quantizes attention of 600 tokens, and tensorrt does so up to 512"],
            TargetCheck.Check(model, target).Select(d => d.Message));
    }
}
